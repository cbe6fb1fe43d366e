"""The command that trains: its recipe, and the changes that the command line makes to it."""

import re
from pathlib import Path

import pytest

from hf_fashion.cli.main import main, parse_arguments
from hf_fashion.cli.train import RECIPES, read_recipe
from hf_fashion.training.e2.recipe import E2Recipe


@pytest.fixture
def parse(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("training: {seed: 3}")
    return lambda *arguments: parse_arguments(["train", "e2", str(path), *arguments])


def test_a_recipe_without_options_is_not_changed(parse):
    assert parse().resume_from_checkpoint is None
    recipe = read_recipe(parse())
    assert recipe.training.seed == 3 and recipe.training.output_dir == E2Recipe().training.output_dir


def test_short_options_come_last_and_so_overrule(parse):
    arguments = ["--set", "training.seed=1", "data.on_leak=error", "--output_dir", "runs/a", "--on_leak", "warn"]
    recipe = read_recipe(parse(*arguments))
    assert (recipe.training.seed, recipe.training.output_dir, recipe.data.on_leak) == (1, "runs/a", "warn")
    assert read_recipe(parse("--on_bad_image", "skip")).data.on_bad_image == "skip"
    assert read_recipe(parse("--lora_r", "8", "--set", "model.start_from=best")).model.lora_r == 8


def test_changes_may_be_given_in_several_places(parse):
    recipe = read_recipe(parse("--set", "training.seed=1", "--set", "training.batch_size=2"))
    assert (recipe.training.seed, recipe.training.batch_size) == (1, 2)


def test_an_unknown_choice_is_refused(parse, capsys):
    with pytest.raises(SystemExit):
        parse("--on_leak", "ignore")
    assert "--on_leak" in capsys.readouterr().err


@pytest.mark.parametrize("model", RECIPES)
def test_each_model_has_recipes_and_a_training(model, monkeypatch, tmp_path):
    """The training itself is tested with its module."""
    required = dict.fromkeys(("feature_reasoning", "captioner", "combiner"), "model: {embedder: best}")
    required |= {"backbone": "model: {config: {model_type: resnet}}"}
    (tmp_path / "recipe.yaml").write_text(required.get(model, ""))
    given = []
    monkeypatch.setattr(f"hf_fashion.training.{model}.train.train", lambda *arguments: given.extend(arguments))
    assert main(["train", model, str(tmp_path / "recipe.yaml"), "--resume_from_checkpoint", "latest"]) == 0
    assert (type(given[0]).__name__, given[1]) == (RECIPES[model], "latest")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("recipe.yaml --set training.seeds=1", r"unknown key 'seeds' \(did you mean 'seed'\?\)"),
        ("nothing.yaml", "there is no recipe at nothing.yaml; `hf-fashion recipes` lists those of the package"),
        ("e2_quikstart", r"got 'e2_quikstart' \(did you mean 'e2_quickstart'\?\). Those of e2 are .*, e2_quickstart"),
        ("attributes/asen", "is a recipe for `hf-fashion train attribute`, not for e2"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(recipe, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text("training: {seed: 3}")
    assert main(["train", "e2", *recipe.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hf-fashion: error: ") and re.search(message, line)
