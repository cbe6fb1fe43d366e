"""The `evaluate` module of the sample-100 protocol, against the function behind it."""

import pytest
import torch

from hf_fashion.metrics import sample_cross_modal_recall
from tests.metrics.evaluate_modules import as_lists, cross_modal_columns, in_two_batches, load_metric


def test_it_gives_the_values_of_the_function(tmp_path):
    groups = torch.arange(12) % 2
    columns = cross_modal_columns() | {"image_groups": groups, "text_groups": groups}
    embeds = columns["predictions"], columns["references"]
    others = {name: values for name, values in columns.items() if name.startswith(("image_", "text_"))}
    expected = sample_cross_modal_recall(*embeds, **others, num_negatives=4, seed=7)
    metric = load_metric("sample_cross_modal_recall", tmp_path)
    assert in_two_batches(metric, as_lists(columns), num_negatives=4, seed=7) == pytest.approx(expected)
    assert expected["sum_recall_ceiling"] < 6 and expected["image_to_text_negatives_per_query"] == 4


def test_it_describes_itself(tmp_path):
    metric = load_metric("sample_cross_modal_recall", tmp_path)
    assert "ceiling" in metric.description
    assert set(metric.features) >= {"predictions", "references", "image_labels", "text_inputs"}
