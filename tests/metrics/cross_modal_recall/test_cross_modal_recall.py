"""The `evaluate` module of the full protocol, against the function behind it."""

import pytest

from hf_fashion.metrics import cross_modal_recall
from tests.metrics.evaluate_modules import as_lists, cross_modal_columns, in_two_batches, load_metric


def test_it_gives_the_values_of_the_function(tmp_path):
    columns = cross_modal_columns()
    expected = cross_modal_recall(*columns.values())
    assert in_two_batches(load_metric("cross_modal_recall", tmp_path), as_lists(columns)) == pytest.approx(expected)
    assert expected["sum_recall_ceiling"] < 6


def test_it_describes_itself(tmp_path):
    metric = load_metric("cross_modal_recall", tmp_path)
    assert "ceiling" in metric.description
    assert set(metric.features) >= {"predictions", "references", "image_labels", "text_inputs"}
