"""What every training begins with."""

import pytest

from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.opening import open_run


def recipe(folder) -> BackboneRecipe:
    (folder / "recipe.yaml").write_text("model: {config: {model_type: resnet}}")
    return BackboneRecipe.read(folder / "recipe.yaml", [f"training.output_dir={folder / 'run'}"])


def test_a_new_run_has_no_checkpoint_and_no_push(tmp_path):
    opened = open_run(recipe(tmp_path), None)
    assert opened.accelerator.is_main_process and opened.checkpoint is None and opened.push is None


def test_a_checkpoint_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_run(recipe(tmp_path), str(tmp_path / "update-00000001"))
