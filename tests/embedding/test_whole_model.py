"""A model is whole, or the weights that it lacks are named."""

import pytest
import torch
from transformers import CLIPModel

from hf_fashion import Encoder
from hf_fashion.embedding.whole_model import load_whole
from tests.tiny_e2 import tiny_model, tiny_processor


def save_without(model, folder, beginning: str) -> None:
    weights = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(beginning)}
    model.save_pretrained(folder, state_dict=weights)
    tiny_processor().save_pretrained(folder)


def test_a_whole_model_is_loaded(tmp_path):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    loaded = load_whole(tmp_path, dtype=torch.bfloat16)
    assert loaded.dtype == torch.bfloat16 and loaded.state_dict().keys() == model.state_dict().keys()


def test_weights_that_would_be_random_are_refused(tmp_path):
    save_without(tiny_model(), tmp_path, "visual_projection")
    message = r"lacks 1 of the weights of E2Model, such as visual_projection.weight: they would be random numbers"
    with pytest.raises(ValueError, match=message):
        load_whole(tmp_path)
    with pytest.raises(ValueError, match=message):
        Encoder.from_pretrained(tmp_path)


def test_a_class_may_be_named(tmp_path):
    save_without(tiny_model(), tmp_path, "vision_model.embeddings")
    with pytest.raises(ValueError, match=r"lacks \d+ of the weights of CLIPModel"):
        load_whole(tmp_path, CLIPModel)


def test_pickles_are_not_read(tmp_path):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    tiny_processor().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no file named model\.safetensors, and weights of other files"):
        Encoder.from_pretrained(tmp_path)
