"""Configuration of a combiner: what it refuses, and what survives saving."""

import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_fashion.models.combiner.configuration_combiner import CombinerConfig
from tests.tiny_combiner import SPACES, tiny_combiner_config


def test_without_regions_it_searches_the_photo():
    assert CombinerConfig().spaces == ["image"]


def test_it_survives_saving(tmp_path):
    config = tiny_combiner_config(embedder_fingerprints=["E2Model-1"])
    config.save_pretrained(tmp_path)
    loaded = CombinerConfig.from_pretrained(tmp_path)
    assert loaded.spaces == SPACES and loaded.embedder_fingerprints == ["E2Model-1"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"embed_dim": 0}, "`embed_dim` must be at least 1; got 0"),
        ({"hidden_size": -1}, "`hidden_size` must be at least 1; got -1"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1; got 1.0"),
        ({"spaces": ["brand"]}, '`spaces` must begin with "image"'),
        ({"spaces": []}, '`spaces` must begin with "image"'),
        ({"spaces": ["image", "brand", "brand"]}, "name each space once"),
    ],
)
def test_what_no_model_can_have_is_refused(field, message):
    with pytest.raises(StrictDataclassClassValidationError, match=message):
        tiny_combiner_config(**field)


def test_whole_numbers_are_numbers():
    assert tiny_combiner_config(dropout=0, logit_scale_init_value=3).dropout == 0
