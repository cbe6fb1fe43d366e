"""A model's fingerprint: equal for equal models, other for all others."""

import re

import pytest
import torch
from transformers import AutoModel

from hf_fashion.embedding.fingerprint import model_fingerprint
from tests.tiny_attribute import tiny_asen
from tests.tiny_e2 import tiny_model
from tests.tiny_ipad import tiny_ipad


@pytest.mark.parametrize("make", [tiny_model, lambda: tiny_asen(local=True), tiny_ipad], ids=["e2", "asen++", "ipad"])
def test_saving_and_loading_keeps_the_fingerprint(make, tmp_path):
    model = make()
    model.save_pretrained(tmp_path / "one")
    loaded = AutoModel.from_pretrained(tmp_path / "one")
    loaded.save_pretrained(tmp_path / "two")
    again = AutoModel.from_pretrained(tmp_path / "two", attn_implementation="eager", output_hidden_states=True)
    assert model_fingerprint(model) == model_fingerprint(loaded) == model_fingerprint(again)


def test_the_fingerprint_names_the_class():
    assert re.fullmatch(r"E2Model-[0-9a-f]{16}", model_fingerprint(tiny_model()))


def test_the_layout_in_memory_does_not_count():
    model = tiny_asen()
    before = model_fingerprint(model)
    assert model_fingerprint(model.to(memory_format=torch.channels_last)) == before
    assert model_fingerprint(model.train()) == before


def test_a_single_weight_counts():
    model = tiny_model()
    before = model_fingerprint(model)
    with torch.no_grad():
        next(model.vision_model.parameters()).view(-1)[0] += 1e-3
    assert model_fingerprint(model) != before


def test_an_architecture_without_weights_counts():
    assert model_fingerprint(tiny_asen(local=True)) != model_fingerprint(tiny_asen(local=True, global_weight=0.5))


def test_the_float_type_counts():
    assert model_fingerprint(tiny_model()) != model_fingerprint(tiny_model().to(torch.bfloat16))
