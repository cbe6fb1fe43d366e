"""The `evaluate` module of attribute-specific search, against the functions behind it."""

import pytest
import torch

from hf_fashion.metrics import attribute_map, average_precisions
from tests.metrics.evaluate_modules import in_two_batches, load_metric


EMBEDS = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
VALUES, IS_QUERY = torch.arange(12) % 2, torch.arange(12) % 3 == 0
COLUMNS = {"predictions": EMBEDS.tolist(), "references": VALUES.tolist(), "is_query": IS_QUERY.tolist()}


def test_it_gives_the_values_of_the_functions(tmp_path):
    names = ["neck" if row < 7 else "hem" for row in range(12)]
    expected = {}
    for own in ("neck", "hem"):
        rows = torch.tensor([name == own for name in names])
        queries, others = rows & IS_QUERY, rows & ~IS_QUERY
        expected[own] = average_precisions(EMBEDS[queries], EMBEDS[others], VALUES[queries], VALUES[others])
    computed = in_two_batches(load_metric("attribute_map_score", tmp_path), COLUMNS | {"attributes": names})
    assert computed == pytest.approx(attribute_map(expected) | {"num_queries": 4})


def test_an_attribute_without_a_query_is_named(tmp_path):
    names = ["neck", "hem", "hem"] * 4  # every query is a neck's
    with pytest.raises(ValueError, match=r"without a query: \['hem'\]"):
        in_two_batches(load_metric("attribute_map_score", tmp_path), COLUMNS | {"attributes": names})


def test_it_describes_itself(tmp_path):
    assert "keep the order of their rows" in load_metric("attribute_map_score", tmp_path).description
