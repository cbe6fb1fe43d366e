"""Recipes of a combiner: what is read, and errors that name the key."""

import pytest

from hf_fashion.training.combiner.recipe import CombinerRecipe
from hf_fashion.training.recipes.shipped import FOLDER


QUICKSTART = FOLDER / "combiner" / "quickstart.yaml"


def test_the_quickstart_searches_regions_too():
    recipe = CombinerRecipe.read(QUICKSTART)
    assert recipe.model.regions and recipe.triples.per_entity == 1000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model.embedder=''", "`model.embedder` must name the embedding model"),
        ("model.start_from=fr", "unknown key 'start_from'"),
        ("triples.per_entity=0", "recipe.triples.per_entity must be at least 1; got 0"),
        ("training.gradient_checkpointing=true", "`training.gradient_checkpointing` must be false"),
        ("training.stages=[{epochs: 1, learning_rate: 1.0, trainable: new}]", "trainable"),
        ("data.on_leak=maybe", "data.on_leak"),
    ],
)
def test_what_is_not_allowed_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        CombinerRecipe.read(QUICKSTART, [change])
