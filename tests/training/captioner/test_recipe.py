"""Recipes of captioners: errors that name the key."""

import pytest

from hf_fashion.training.captioner.recipe import CaptionerRecipe
from hf_fashion.training.recipes.shipped import FOLDER


QUICKSTART = FOLDER / "captioner" / "quickstart.yaml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model.embedder=''", "`model.embedder` must name the E2, CLIP or SigLIP"),
        ("model.method=clipcap", "`model.method`"),
        ("model.noise_variance=-1", "recipe.model.noise_variance must be at least 0"),
        ("model.memory_size=0", "recipe.model.memory_size must be at least 1"),
        ("training.stages=[{epochs: 1, learning_rate: 1.0, trainable: new}]", "trainable"),
        ("model.width=1", "unknown key 'width'"),
    ],
)
def test_what_is_not_allowed_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        CaptionerRecipe.read(QUICKSTART, [change])


def test_a_decoder_has_its_own_configuration():
    changes = ["model.decoder=gpt2", "model.decoder_config={n_layer: 2}"]
    with pytest.raises(ValueError, match=r"`model.decoder_config` is for a decoder from scratch"):
        CaptionerRecipe.read(QUICKSTART, changes)
