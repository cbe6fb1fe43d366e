"""Recipes of backbones: what is read, and errors that name the key."""

import pytest

from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.recipes.shipped import FOLDER


QUICKSTART = FOLDER / "attributes" / "backbone_quickstart.yaml"


def test_the_quickstarts_backbone_fits_its_attribute_models():
    recipe = BackboneRecipe.read(QUICKSTART)
    assert recipe.model.image_size == 64 and recipe.model.config["model_type"] == "resnet"
    assert recipe.data.attributes is None


def test_a_recipe_names_its_architecture(tmp_path):
    (tmp_path / "recipe.yaml").write_text("model: {config: {depths: [1, 1]}}")
    with pytest.raises(ValueError, match="model_type"):
        BackboneRecipe.read(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.source_size=96", "unknown key 'source_size'"),
        ("data.on_leak=maybe", "data.on_leak.*maybe"),
        ("training.stages=[{epochs: 1, learning_rate: 1.0, trainable: new}]", "trainable.*all; got 'new'"),
    ],
)
def test_what_is_not_allowed_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        BackboneRecipe.read(QUICKSTART, [change])
