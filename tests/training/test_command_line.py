"""The arguments that training scripts share, and the changes that they make to a recipe."""

import argparse

import pytest

from hf_fashion.training.command_line import add_recipe_arguments, recipe_changes


def parse(*arguments):
    return add_recipe_arguments(argparse.ArgumentParser()).parse_args(arguments)


def test_a_recipe_alone_changes_nothing():
    parsed = parse("recipe.yaml")
    assert parsed.recipe == "recipe.yaml" and parsed.resume_from_checkpoint is None
    assert recipe_changes(parsed) == []


def test_short_options_come_last_and_so_overrule():
    arguments = ["--set", "training.seed=1", "data.on_leak=error", "--output_dir", "runs/a", "--on_leak", "warn"]
    assert recipe_changes(parse("recipe.yaml", *arguments)) == [
        "training.seed=1",
        "data.on_leak=error",
        "training.output_dir=runs/a",
        "data.on_leak=warn",
    ]
    assert recipe_changes(parse("recipe.yaml", "--on_bad_image", "skip")) == ["data.on_bad_image=skip"]


def test_an_unknown_choice_is_refused(capsys):
    with pytest.raises(SystemExit):
        parse("recipe.yaml", "--on_leak", "ignore")
    assert "--on_leak" in capsys.readouterr().err
