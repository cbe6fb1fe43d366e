"""Recipes: YAML to dataclasses, changes from the command line, errors that name the key."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest
import yaml

from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.combiner.recipe import CombinerRecipe
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipe_ranges import RANGE
from tests.training.every_recipe import RECIPES, recipe_class


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


def test_no_mixed_precision_is_said_by_a_change(tmp_path):
    recipe = E2Recipe.read(write(tmp_path, {}), ["training.mixed_precision=no", "training.push_to_hub=off"])
    assert recipe.training.mixed_precision == "no" and recipe.training.push_to_hub is False


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
        (
            {"training": {"stages": [{"epochs": 0, "learning_rate": 1}]}},
            r"\[0\].epochs must be above 0; got 0.0",
        ),
        ({"training": {"stages": [{"epochs": -1, "learning_rate": 1}]}}, "epochs must be above 0; got -1.0"),
        ({"training": {"stages": [{"epochs": float("nan"), "learning_rate": 1}]}}, "epochs must be above 0; got nan"),
        ({"training": {"stages": [{"epochs": float("inf"), "learning_rate": 1}]}}, "epochs must be above 0; got inf"),
        ({"training": {"stages": [{"epochs": 1, "learning_rate": -1}]}}, "learning_rate must be at least 0; got -1.0"),
        ({"training": {"warmup_steps": -1}}, "recipe.training.warmup_steps must be at least 0; got -1"),
        ({"training": {"save_every": -5}}, "recipe.training.save_every must be at least 0; got -5"),
        ({"training": {"eval_every": -5}}, "recipe.training.eval_every must be at least 0; got -5"),
        ({"training": {"seed": 2**31}}, "training.seed must be at least 0 and below 2147483648; got 2147483648"),
        ({"training": {"adam_betas": [0.9, 1]}}, r"adam_betas\[1\] must be at least 0 and below 1; got 1.0"),
        ({"training": {"adam_betas": [0.9]}}, "`training.adam_betas` must be two numbers"),
        ({"data": {"validation_fraction": 1}}, "validation_fraction must be above 0 and below 1; got 1.0"),
        ({"model": {"vocab_size": 513}}, "vocab_size must be at least 514; got 513"),
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


def sections(kind: type) -> list[type]:
    """Return a dataclass and those of its fields."""
    inner = [get_args(hint)[0] if get_origin(hint) is list else hint for hint in get_type_hints(kind).values()]
    return [kind, *(part for one in inner if is_dataclass(one) for part in sections(one))]


@pytest.mark.parametrize("recipe", [E2Recipe, AttributeRecipe, FeatureReasoningRecipe, CombinerRecipe, BackboneRecipe])
def test_every_number_of_a_recipe_has_a_range(recipe):
    without = []
    for section in sections(recipe):
        for entry in fields(section):
            kinds = str(get_type_hints(section)[entry.name])
            if re.search(r"\b(int|float)\b", kinds) and RANGE not in entry.metadata:
                without.append(f"{section.__name__}.{entry.name}")
    assert without == []
