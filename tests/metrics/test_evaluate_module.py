"""The `evaluate` modules, loaded by their paths without network."""

import os
from pathlib import Path

import evaluate
import pytest
import torch

import hf_fashion.metrics
from hf_fashion.metrics import attribute_map, average_precisions, cross_modal_recall, sample_cross_modal_recall


FOLDER = Path(hf_fashion.metrics.__file__).parent


@pytest.fixture
def load(tmp_path):
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    return lambda name: evaluate.load(str(FOLDER / name), cache_dir=str(tmp_path))


def in_two_batches(metric, columns: dict[str, torch.Tensor], **options):
    """What a metric computes of columns that it is given in two parts."""
    for rows in (slice(0, 5), slice(5, 12)):
        metric.add_batch(**{name: values[rows].tolist() for name, values in columns.items()})
    return metric.compute(**options)


@pytest.fixture(scope="module")
def columns():
    images, texts = torch.randn(2, 12, 4, generator=torch.Generator().manual_seed(0))
    labels, titles = torch.arange(12), torch.arange(12) // 3
    integers = {"image_labels": labels, "text_labels": labels, "image_inputs": labels, "text_inputs": titles}
    return {"predictions": images, "references": texts} | integers


def test_the_full_protocol_gives_what_the_function_gives(load, columns):
    expected = cross_modal_recall(*columns.values())
    assert in_two_batches(load("cross_modal_recall"), columns) == pytest.approx(expected)
    assert expected["sum_recall_ceiling"] < 6


def test_the_sample_protocol_gives_what_the_function_gives(load, columns):
    groups = torch.arange(12) % 2
    embeds, labels, inputs = (list(columns.values())[start : start + 2] for start in (0, 2, 4))
    expected = sample_cross_modal_recall(*embeds, *labels, groups, groups, *inputs, num_negatives=4, seed=7)
    columns = columns | {"image_groups": groups, "text_groups": groups}
    computed = in_two_batches(load("sample_cross_modal_recall"), columns, num_negatives=4, seed=7)
    assert computed == pytest.approx(expected)
    assert expected["sum_recall_ceiling"] < 6 and expected["image_to_text_negatives_per_query"] == 4


@pytest.mark.parametrize("name", ["cross_modal_recall", "sample_cross_modal_recall"])
def test_they_describe_themselves(load, name):
    metric = load(name)
    assert "ceiling" in metric.description
    assert set(metric.features) >= {"predictions", "references", "image_labels", "text_inputs"}


def test_attribute_map_gives_what_the_functions_give(load):
    embeds = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    values, is_query = torch.arange(12) % 2, torch.arange(12) % 3 == 0
    names = ["neck", "hem", "hem"] * 4
    metric = load("attribute_map_score")
    for rows in (slice(0, 5), slice(5, 12)):
        metric.add_batch(
            predictions=embeds[rows].tolist(),
            references=values[rows].tolist(),
            attributes=names[rows],
            is_query=is_query[rows].tolist(),
        )
    # Every query is a neck's: hem has none, and says so.
    with pytest.raises(ValueError, match=r"without a query: \['hem'\]"):
        metric.compute()
    names = ["neck" if row < 7 else "hem" for row in range(12)]
    parts = [(torch.tensor([name == own for name in names]) & is_query, own) for own in ("neck", "hem")]
    expected = {}
    for queries, own in parts:
        others = torch.tensor([name == own for name in names]) & ~is_query
        expected[own] = average_precisions(embeds[queries], embeds[others], values[queries], values[others])
    computed = load("attribute_map_score").compute(
        predictions=embeds.tolist(), references=values.tolist(), attributes=names, is_query=is_query.tolist()
    )
    assert computed == pytest.approx(attribute_map(expected) | {"num_queries": 4})
    assert "stand in the order of their rows" in load("attribute_map_score").description
