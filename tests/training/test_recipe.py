"""Recipes: YAML to dataclasses, changes from the command line, errors that name the key."""

from pathlib import Path

import pytest
import yaml

from hf_fashion.training.e2.recipe import E2Recipe
from tests.training.recipes import RECIPES, recipe_class


def write(folder: Path, values: dict, name: str = "recipe.yaml") -> Path:
    (folder / name).write_text(yaml.safe_dump(values))
    return folder / name


def test_missing_keys_have_defaults(tmp_path):
    recipe = E2Recipe.read(write(tmp_path, {"model": {"architecture": "clip"}}))
    assert recipe.model.architecture == "clip" and recipe.data.corpus == "generated"


def test_base_and_changes(tmp_path):
    write(tmp_path, {"training": {"batch_size": 8, "seed": 3}, "data": {"corpus": "a"}}, "base.yaml")
    path = write(tmp_path, {"base": "base.yaml", "training": {"seed": 4}})
    recipe = E2Recipe.read(path, ["training.seed=5", "data.on_leak=warn", "model.config.tag_entities=[a, b]"])
    assert recipe.training.batch_size == 8 and recipe.training.seed == 5
    assert recipe.data.corpus == "a" and recipe.data.on_leak == "warn"
    assert recipe.model.config["tag_entities"] == ["a", "b"]


def test_numbers_that_yaml_reads_as_text(tmp_path):
    (tmp_path / "recipe.yaml").write_text("training: {stages: [{epochs: 2, learning_rate: 5e-4}], weight_decay: 0}")
    recipe = E2Recipe.read(tmp_path / "recipe.yaml")
    assert recipe.training.stages[0].learning_rate == 5e-4 and recipe.training.weight_decay == 0.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"modell": {}}, "unknown key 'modell'"),
        ({"training": {"batchsize": 4}}, "recipe.training: unknown key 'batchsize'.*batch_size"),
        ({"training": {"batch_size": "many"}}, "recipe.training.batch_size must be of type int"),
        ({"training": {"stages": [{"epochs": 1}]}}, "learning_rate"),
        ({"training": {"stages": [{"epochs": 1, "learning_rate": 1, "trainable": "some"}]}}, "trainable"),
        ({"training": {"mixed_precision": "fp8"}}, "mixed_precision.*fp8"),
        ({"data": {"on_leak": "ignore"}}, "on_leak.*ignore"),
        ({"model": 3}, "recipe.model: expected key: value pairs"),
    ],
)
def test_mistakes_are_named(tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        E2Recipe.read(write(tmp_path, values))


def test_a_change_needs_a_value(tmp_path):
    with pytest.raises(ValueError, match=r"section\.key=value"):
        E2Recipe.read(write(tmp_path, {}), ["training.seed"])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recipe_of_the_repository_is_valid(path):
    assert recipe_class(path).read(path).training.stages
