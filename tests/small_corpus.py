"""A small generated corpus, a tiny E2 and a tiny CLIP of the same shape."""

import pytest
from transformers import CLIPConfig, CLIPModel, set_seed

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.models.e2.processing_e2 import E2Processor
from tests.tiny_e2 import tiny_config, tiny_image_processor, tiny_model, tiny_tokenizer


ENTITIES = ["brand", "season"]
CLIP_FIELDS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "image_size",
    "patch_size",
)


@pytest.fixture(scope="session")
def corpus():
    return make_generated_corpus(train_rows=60, validation_rows=24, image_size=32)


@pytest.fixture(scope="session")
def column_map():
    return ColumnMap(caption="caption", tags={entity: entity for entity in ENTITIES})


@pytest.fixture(scope="session")
def processor():
    return E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES)


@pytest.fixture(scope="session")
def e2():
    return tiny_model(tag_entities=ENTITIES)


@pytest.fixture(scope="session")
def clip():
    config = tiny_config()
    vision = {name: getattr(config.vision_config, name) for name in CLIP_FIELDS}
    set_seed(0)
    return CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))
