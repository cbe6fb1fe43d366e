"""Recipes that come with the package: found by name, described, and told apart from parts of recipes."""

from pathlib import Path

import pytest

from hf_fashion.training.recipes.shipped import FOLDER, describe, find_recipe, model_of, shipped_recipes
from tests.training.every_recipe import recipe_class


MODELS = {"E2Recipe": "e2", "AttributeRecipe": "attribute", "FeatureReasoningRecipe": "feature_reasoning"}
MODELS |= {"BackboneRecipe": "backbone", "CombinerRecipe": "combiner", "CaptionerRecipe": "captioner"}


def test_parts_of_recipes_are_not_listed():
    names = set(shipped_recipes())
    assert {"e2_quickstart", "attributes/asen", "attributes/fashionai/ipad", "feature_reasoning/paper"} <= names
    assert names.isdisjoint({"quickstart", "attributes/paper", "attributes/fashionai/corpus"})


@pytest.mark.parametrize("name", shipped_recipes())
def test_each_says_in_a_line_what_it_trains(name):
    path = shipped_recipes()[name]
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert 20 < len(describe(path)) < 110 and describe(path)[0].isupper()
    assert model_of(name) == MODELS[recipe_class(path).__name__]


def test_each_is_in_the_page_of_recipes():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    corpora = {path.name for path in (FOLDER / "attributes").iterdir() if path.is_dir()}
    names = {"/".join("CORPUS" if part in corpora else part for part in name.split("/")) for name in shipped_recipes()}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_a_file_comes_before_a_shipped_recipe_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_recipe("e2_quickstart", "e2") == FOLDER / "e2_quickstart.yaml"
    Path("e2_quickstart").write_text("")
    assert find_recipe("e2_quickstart", "e2") == Path("e2_quickstart")
