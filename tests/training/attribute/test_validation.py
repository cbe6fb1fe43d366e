"""Validation of attribute-specific models: MAP of the drawn lists against a loop, and attributes with few images."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.training.attribute.validation import draw_validation_lists, validate
from tests.evaluation.attributes import MAP, LookUp, image_processor, shades


NUMBER = 24


@pytest.fixture(scope="module")
def split():
    hems = [("a", "b", "c", None)[row % 4] for row in range(NUMBER)]
    necks = [("v", "boat")[row % 3 > 0] for row in range(NUMBER)]
    return shades(hems, necks)


def naive_average_precision(scores: list[float], hits: list[bool]) -> float:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    found, total = 0, 0.0
    for rank, place in enumerate(order, start=1):
        if hits[place]:
            found += 1
            total += found / rank
    return total / found if found else 0.0


def test_map_equals_the_loop(split):
    embeds = torch.randn(NUMBER, 3, 4, generator=torch.Generator().manual_seed(0))
    model = LookUp(normalize(embeds, dim=-1))
    lists = draw_validation_lists(split, MAP)
    metrics = validate(model, image_processor(), split, MAP, lists)
    every = []
    for name, one in lists.items():
        vectors = model.embeds[:, model.config.attribute_names.index(name)].detach()
        found = []
        for row, value in zip(one.query_rows.tolist(), one.query_values.tolist(), strict=True):
            scores = (vectors[one.candidate_rows] @ vectors[row]).tolist()
            found.append(naive_average_precision(scores, (one.candidate_values == value).tolist()))
        assert metrics[f"{name}_map"] == pytest.approx(sum(found) / len(found), abs=1e-6)
        every += found
    assert metrics["map"] == pytest.approx(sum(every) / len(every), abs=1e-6)


def test_the_lists_of_a_run_are_always_the_same(split):
    first, second = draw_validation_lists(split, MAP), draw_validation_lists(split, MAP)
    assert list(first) == list(MAP.attributes)
    assert all(torch.equal(first[name].query_rows, second[name].query_rows) for name in first)


def test_an_attribute_with_too_few_images_is_named_with_its_split():
    few = shades(["a", "b", *[None] * 8], ["v", "boat"] * 5)
    with pytest.raises(ValueError, match=r"validation split: attribute 'hem'.*labelled images"):
        draw_validation_lists(few, MAP)


def test_a_split_without_a_right_candidate_is_refused():
    alone = shades([f"hem {row}" for row in range(NUMBER)], [f"neck {row}" for row in range(NUMBER)])
    with pytest.raises(ValueError, match=r"no query has a candidate with its value of .*, so that MAP is 0"):
        draw_validation_lists(alone, MAP)
