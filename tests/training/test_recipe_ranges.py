"""Ranges of numbers: limits in and out, lists and dicts number by number."""

from dataclasses import dataclass, field, fields

import pytest

from hf_fashion.training.recipe_ranges import Range, check_range, in_range


@dataclass
class Section:
    needed: float = field(metadata=in_range(above=0))
    shares: dict[str, float] = field(default_factory=dict, metadata=in_range(at_least=0, at_most=1))
    sizes: list[int] | None = field(default=None, metadata=in_range(at_least=2, below=8))
    free: int = 0


FIELDS = {entry.name: entry for entry in fields(Section)}


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        ({"at_least": 1}, [1, 2], [0, 0.99, float("nan"), float("inf")]),
        ({"above": 0, "below": 1}, [0.5], [0, 1, -1]),
        ({"at_most": 0}, [0, -3], [1e-9, float("-inf")]),
    ],
)
def test_limits(limits, inside, outside):
    assert [number in Range(**limits) for number in [*inside, *outside]] == [True] * len(inside) + [False] * len(
        outside
    )


def test_a_range_says_its_limits():
    assert str(Range(at_least=0, below=1)) == "at least 0 and below 1"


def test_defaults_stay_and_a_field_without_one_is_needed():
    assert Section(1.0) == Section(1.0, {}, None, 0)
    with pytest.raises(TypeError, match="needed"):
        Section()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("needed", 0, "a.needed must be above 0; got 0"),
        ("shares", {"x": 0, "y": 2}, r"a.shares.y must be at least 0 and at most 1; got 2"),
        ("sizes", [2, 8], r"a.sizes\[1\] must be at least 2 and below 8; got 8"),
    ],
)
def test_the_number_that_is_out_of_range_is_named(name, value, message):
    with pytest.raises(ValueError, match=message):
        check_range(FIELDS[name], value, f"a.{name}")


def test_missing_values_and_fields_without_a_range_pass():
    check_range(FIELDS["sizes"], None, "a.sizes")
    check_range(FIELDS["free"], -1, "a.free")
