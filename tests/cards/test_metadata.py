"""Fields that people set, changed or removed stay; tags and evaluation results of both are kept."""

import pytest

from hf_fashion.cards.metadata import record, renew_fields


def result(value: float, name: str = "validation") -> dict:
    return {
        "task": {"type": "retrieval"},
        "dataset": {"type": "shop", "name": "Shop", "split": name},
        "metrics": [{"type": "map", "value": value}],
    }


WRITTEN = {
    "license": "mit",
    "widget": [{"src": "a.png"}],
    "tags": ["fashion", "e2"],
    "model-index": [{"name": "e2", "results": [result(0.5)]}],
}
NEW = WRITTEN | {"license": "apache-2.0", "tags": ["fashion", "clip"], "pipeline_tag": "image-feature-extraction"}


@pytest.mark.parametrize(
    ("change", "field", "kept"),
    [
        ({}, "license", "apache-2.0"),
        ({"license": "cc0-1.0"}, "license", "cc0-1.0"),
        ({"widget": [{"src": "mine.png"}]}, "widget", [{"src": "mine.png"}]),
        ({"widget": None}, "widget", None),
        ({"inference": False}, "inference", False),
        ({}, "pipeline_tag", "image-feature-extraction"),
        ({}, "tags", ["fashion", "clip"]),
        ({"tags": ["fashion", "e2", "shoes"]}, "tags", ["shoes", "fashion", "clip"]),
        ({"tags": "shoes"}, "tags", ["shoes", "clip"]),
        ({"tags": ["e2"]}, "tags", ["clip"]),
        ({"tags": None}, "tags", None),
        ({"model-index": None}, "model-index", None),
    ],
)
def test_people_come_first(change, field, kept):
    old = {name: value for name, value in (WRITTEN | change).items() if value is not None}
    assert renew_fields(old, NEW, f"text\n{record(WRITTEN)}").get(field) == kept


def test_a_field_that_is_no_longer_written_goes_unless_people_changed_it():
    assert "license" not in renew_fields(WRITTEN, {}, record(WRITTEN))
    assert renew_fields(WRITTEN | {"license": "isc"}, {}, record(WRITTEN))["license"] == "isc"


def test_results_of_people_are_kept_next_to_new_ones():
    old = WRITTEN | {"model-index": [{"name": "e2", "results": [result(0.5), result(0.7, "test")]}]}
    new = WRITTEN | {"model-index": [{"name": "e2", "results": [result(0.6)]}]}
    (index,) = renew_fields(old, new, record(WRITTEN))["model-index"]
    assert index == {"name": "e2", "results": [result(0.7, "test"), result(0.6)]}


def test_results_of_another_model_keep_its_name():
    chance = result(0.1, "chance")
    written = WRITTEN | {"model-index": [{"name": "best", "results": [result(0.5), chance]}]}
    others = [{"name": "clip", "results": [result(0.7), chance]}, {"results": [result(0.8)]}]
    old = written | {"model-index": [*written["model-index"], *others]}
    new = WRITTEN | {"model-index": [{"name": "my-e2", "results": [result(0.6), chance]}]}
    merged = [{"name": "my-e2", "results": [result(0.6), chance]}, *others]
    assert renew_fields(old, new, record(written))["model-index"] == merged
    assert renew_fields(old, new | {"model-index": merged}, record(written))["model-index"] == merged
    without = {name: value for name, value in new.items() if name != "model-index"}
    assert renew_fields(old, without, record(written))["model-index"] == others
    first = old | {"model-index": others[::-1]}
    assert renew_fields(first, new, "text")["model-index"] == [*new["model-index"], *others[::-1]]


def test_a_result_that_people_removed_stays_removed():
    written = WRITTEN | {"model-index": [{"name": "e2", "results": [result(0.5), result(0.1, "chance")]}]}
    old = written | {"model-index": [{"name": "e2", "results": [result(0.5)]}]}
    new = written | {"model-index": [{"name": "e2", "results": [result(0.6), result(0.1, "chance")]}]}
    (index,) = renew_fields(old, new, record(written))["model-index"]
    assert index["results"] == [result(0.6)]


def test_in_a_card_of_somebody_else_new_fields_win():
    old = {"license": "mit", "size_categories": "n<1K", "tags": ["shoes", "fashion"]}
    new = {"size_categories": ["1K<n<10K"], "tags": ["hf_fashion", "fashion"]}
    renewed = renew_fields(old, new, "# Shoes\n")
    assert renewed == {"license": "mit", "size_categories": ["1K<n<10K"], "tags": ["shoes", "fashion", "hf_fashion"]}
