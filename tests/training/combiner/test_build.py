"""The combiner that a run starts with: its spaces are those of the embedding model."""

import pytest

from hf_fashion.training.combiner.build import make_model, searched_spaces
from hf_fashion.training.combiner.recipe import CombinerModelRecipe
from tests.tiny_attribute import tiny_asen
from tests.tiny_e2 import tiny_model
from tests.tiny_filip import tiny_filip


def test_spaces_follow_from_the_embedding_model():
    model = make_model(CombinerModelRecipe(config={"hidden_size": 8}), tiny_model(), 12)
    assert model.config.spaces == ["image", "brand", "season"] and model.residual.weight.shape == (12, 8)
    assert searched_spaces(CombinerModelRecipe(regions=False), tiny_model()) == ["image"]


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"model\.config"):
        make_model(CombinerModelRecipe(config={"spaces": ["image"]}), tiny_model(), 12)
    with pytest.raises(ValueError, match=r"`model.embedder` must read texts, got AsenModel"):
        searched_spaces(CombinerModelRecipe(), tiny_asen())
    with pytest.raises(ValueError, match="a FILIP compares every patch"):
        searched_spaces(CombinerModelRecipe(), tiny_filip())
