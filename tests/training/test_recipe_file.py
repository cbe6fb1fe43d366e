"""Reading recipes of any sections: bases of bases, changes within them, values of every kind."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.recipe_file import RecipeFile, merge, require
from hf_fashion.training.recipes.shipped import shipped_recipes


@dataclass
class Part:
    share: float | None = None
    weights: dict[str, float] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    names: list[str] | None = None
    precision: str = "bf16"
    wanted: bool = False


@dataclass
class Run(RecipeFile):
    part: Part = field(default_factory=Part)


def read(folder, text, changes=()):
    (folder / "run.yaml").write_text(text)
    return Run.read(folder / "run.yaml", changes).part


def test_values_of_a_dictionary_and_optional_ones_are_converted(tmp_path):
    part = read(tmp_path, "part: {share: 1e-1, weights: {a: 5e-2, b: 1}, free: {a: 5e-2, b: [1]}, names: [x]}")
    assert part == Part(0.1, {"a": 0.05, "b": 1.0}, {"a": "5e-2", "b": [1]}, ["x"])
    assert read(tmp_path, "part: {share: null, names: null}") == Part()


def test_no_and_on_are_text_where_text_is_wanted_and_booleans_elsewhere(tmp_path):
    part = read(tmp_path, "part: {names: [no, Off], weights: {on: 1}}", ["part.precision=no", "part.wanted=yes"])
    assert part == Part(names=["no", "Off"], weights={"on": 1.0}, precision="no", wanted=True)
    part = read(tmp_path, "part: {wanted: on, free: {a: no, b: [yes, 'yes'], off: 1}}", ["part.wanted=false"])
    assert part == Part(free={"a": False, "b": [True, "yes"], "off": 1})
    assert {type(value) for value in (*part.free, *part.free["b"])} == {str, bool}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("part: {share: no}", "recipe.part.share must be a number; got 'no'"),
        ("part: {precision: true}", "recipe.part.precision must be of type str; got True"),
        ("part: {share: [1]}", r"recipe.part.share must be a number; got \[1\]"),
        ("part: {weights: {a: b}}", "recipe.part.weights.a must be a number; got 'b'"),
        ("part: {weights: [1]}", "recipe.part.weights must be of type dict"),
        ("part: {names: [1]}", r"recipe.part.names\[0\] must be of type str; got 1"),
    ],
)
def test_the_place_of_a_wrong_value_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_a_base_may_have_a_base_in_another_folder(tmp_path):
    (tmp_path / "above").mkdir()
    (tmp_path / "above" / "first.yaml").write_text("part: {share: 1, free: {a: {b: 1, c: 2}, d: [1, 2]}}")
    (tmp_path / "second.yaml").write_text("base: above/first.yaml\npart: {free: {a: {c: 3}, d: [4]}}")
    part = read(tmp_path, "base: second.yaml\npart: {names: [x]}", ["part.free.a.b=5"])
    assert part == Part(1.0, {}, {"a": {"b": 5, "c": 3}, "d": [4]}, ["x"])


def test_of_several_bases_the_last_one_counts(tmp_path):
    (tmp_path / "first.yaml").write_text("part: {share: 1, weights: {a: 1, b: 1}}")
    (tmp_path / "second.yaml").write_text("part: {weights: {b: 2, c: 2}}")
    part = read(tmp_path, "base: [first.yaml, second.yaml]\npart: {weights: {c: 3}}")
    assert part == Part(1.0, {"a": 1.0, "b": 2.0, "c": 3.0})


def test_a_change_reaches_into_a_list_by_a_number(tmp_path):
    part = read(
        tmp_path, "part: {share: 1, weights: {}, free: {a: [1, {b: 2}]}}", ["part.free.a.1.b=3", "part.free.a.0=5"]
    )
    assert part.free == {"a": [5, {"b": 3}]}
    for key in ("2", "-1", "b"):
        with pytest.raises(ValueError, match=rf"part\.free\.a is a list of 2: name one .* got '{key}'"):
            read(tmp_path, "part: {share: 1, weights: {}, free: {a: [1, 2]}}", [f"part.free.a.{key}=3"])


def test_a_change_cannot_reach_into_a_plain_value(tmp_path):
    with pytest.raises(ValueError, match=r"part.share has no keys"):
        read(tmp_path, "part: {share: 1}", ["part.share.half=1"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("part: {share: 1}\npart: {names: [x]}", r"run.yaml: line 2: the key 'part' is given twice, first in line 1"),
        ("base: run.yaml", r"run.yaml: the recipe is its own `base`"),
        ("base: [other.yaml]", r"run.yaml: the recipe is its own `base`"),
        ('base: "\\0"', r"run.yaml: `base` must be the path or name of a recipe"),
        ("base: {a: 1}", r"run.yaml: `base` must be the path or name of a recipe, or a list of them; got \{'a': 1\}"),
        ("[part]", r"run.yaml: expected key: value pairs; got \['part'\]"),
        ("part: {share: 1", "run.yaml: while parsing a flow mapping"),
        ("&a part: &b {free: *b}", "run.yaml: line 1: a value holds itself"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path, text, message):
    (tmp_path / "other.yaml").write_text("base: run.yaml")
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_a_base_that_is_missing_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"run\.yaml: its `base` 'absent\.yaml' is no file there and no recipe"
    ):
        read(tmp_path, "base: absent.yaml")
    with pytest.raises(FileNotFoundError, match=r"\(did you mean 'e2_quickstart'\?\)"):
        read(tmp_path, "base: e2_quikstart")


def test_a_change_that_is_no_yaml_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"part.names=\[x: while parsing"):
        read(tmp_path, "part: {}", ["part.names=[x"])


def test_merging_leaves_both_sides_as_they_were():
    base, values = {"a": {"b": 1}, "c": {"d": 2}}, {"a": {"e": 3}, "c": 4}
    assert merge(base, values) == {"a": {"b": 1, "e": 3}, "c": 4}
    assert base == {"a": {"b": 1}, "c": {"d": 2}} and values == {"a": {"e": 3}, "c": 4}


def test_what_is_required_is_said():
    require("a.b", "x", ("x", "y"))
    with pytest.raises(ValueError, match=r"`a.b` must be one of x, y; got 'z'"):
        require("a.b", "z", ("x", "y"))


def test_a_base_may_be_a_recipe_of_the_package(tmp_path):
    (tmp_path / "run.yaml").write_text("base: e2_quickstart\ntraining: {seed: 7}")
    recipe = E2Recipe.read(tmp_path / "run.yaml")
    assert recipe.training.seed == 7
    assert recipe.model == E2Recipe.read(shipped_recipes("e2")["e2_quickstart"]).model
