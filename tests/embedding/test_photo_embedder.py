"""From photos to vectors, for every kind of model."""

import pytest
import torch
from torch.nn.functional import normalize
from transformers import CLIPConfig, CLIPModel, ResNetModel

from hf_fashion.embedding.photo_embedder import PhotoEmbedder
from tests import tiny_attribute
from tests.tiny_e2 import tiny_config, tiny_images, tiny_model, tiny_processor


def tiny_clip() -> CLIPModel:
    config = tiny_config()
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 4}
    return CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))


@pytest.mark.parametrize("make", [tiny_model, tiny_clip], ids=["e2", "clip"])
def test_e2_and_clip_have_one_space(make):
    model, processor, photos = make(), tiny_processor(), tiny_images(3)
    embedder = PhotoEmbedder(model, processor)
    assert embedder.spaces() == {"image": 12}
    vectors = embedder.embed(embedder.prepare(photos))["image"]
    with torch.no_grad():
        pixels = processor(images=photos, return_tensors="pt")["pixel_values"]
        expected = normalize(model.eval().get_image_features(pixel_values=pixels).pooler_output, dim=-1)
    torch.testing.assert_close(vectors, expected)


def test_attribute_models_have_a_space_for_each_attribute():
    model, processor = tiny_attribute.tiny_asen(local=True), tiny_attribute.tiny_image_processor(do_source=True)
    embedder = PhotoEmbedder(model, processor)
    assert embedder.spaces() == dict.fromkeys(tiny_attribute.ATTRIBUTE_NAMES, 2 * tiny_attribute.EMBEDDING_DIM)
    vectors = embedder.embed(embedder.prepare(tiny_attribute.tiny_photos()))
    with torch.no_grad():
        expected = model.get_attribute_features(**tiny_attribute.tiny_photo_inputs())
    torch.testing.assert_close(torch.stack(list(vectors.values()), dim=1), expected)


def test_the_model_stays_in_its_mode_and_float_type():
    model = tiny_model().train().to(torch.bfloat16)
    embedder = PhotoEmbedder(model, tiny_processor())
    vectors = embedder.embed(embedder.prepare(tiny_images(2)))["image"]
    assert model.training and vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="ResNetModel has no `get_image_features`"):
        PhotoEmbedder(ResNetModel(tiny_attribute.tiny_backbone_config()), tiny_processor())
