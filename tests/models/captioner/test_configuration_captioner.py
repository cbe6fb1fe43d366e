"""Configuration of captioners: what is refused, and the models inside."""

import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError
from transformers import AutoConfig

from hf_fashion.models.captioner.configuration_captioner import CaptionerConfig
from tests.tiny_captioner import tiny_captioner_config


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "clipcap"}, "`method` must be one of"),
        ({"prefix_length": 0}, "`prefix_length` must be at least 1"),
        ({"noise_variance": -0.1}, "`noise_variance` must be at least 0"),
        ({"memory_temperature": 0}, "`memory_temperature` above 0"),
        ({"memory_size": 4}, "`memory_size` must be above 0 for method 'decap'"),
        ({"method": "decap", "memory_size": 0}, "`memory_size` must be above 0 for method 'decap'"),
        ({"max_caption_length": 30}, "the decoder has positions for 32 tokens"),
    ],
)
def test_what_is_not_allowed_is_named(fields, message):
    with pytest.raises(StrictDataclassClassValidationError, match=message):
        tiny_captioner_config(**fields)


@pytest.mark.parametrize("name", ["embedder_config", "decoder_config"])
def test_a_model_that_transformers_lacks_is_named(name):
    with pytest.raises(ValueError, match=f"`{name}` has the `model_type` 'no_such'"):
        CaptionerConfig(**{name: {"model_type": "no_such"}})


def test_the_models_inside_may_be_any(tmp_path):
    config = CaptionerConfig(embedder_config={"model_type": "siglip"}, decoder_config={"model_type": "opt"})
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert (loaded.embedder_config.model_type, loaded.decoder_config.model_type) == ("siglip", "opt")
    assert loaded.embedding_dim == 768
    assert loaded.to_diff_dict().keys() == config.to_diff_dict().keys()


def test_embeddings_have_the_dimension_of_the_shared_space():
    assert tiny_captioner_config().embedding_dim == 12
