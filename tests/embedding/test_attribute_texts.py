"""Texts of attributes: what is written, and vectors by a dual encoder and by a plain one."""

import pytest
import torch
from transformers import BertModel, BertTokenizer

from hf_fashion.embedding.attribute_texts import attribute_text, embed_attribute_texts
from hf_fashion.embedding.encoder import Encoder
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tower_folders import bert_folder


ATTRIBUTES = {"heel_height": ["flat", "high"], "back neckline": []}


def test_a_text_has_name_and_values():
    assert attribute_text("heel_height", ["flat", "very_high"]) == "heel height: flat, very high"
    assert attribute_text("back neckline") == attribute_text("back neckline", "") == "back neckline"
    assert attribute_text("heel_height", "flat") == "heel height: flat"


def test_e2_embeds_them_as_for_search(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    tiny_processor().save_pretrained(tmp_path)
    found = embed_attribute_texts(tmp_path, ATTRIBUTES)
    expected = Encoder(tiny_model(), tiny_processor()).encode(["heel height: flat, high", "back neckline"])
    torch.testing.assert_close(found, torch.from_numpy(expected))


def test_a_text_encoder_gives_the_mean_over_the_tokens(tmp_path):
    folder = bert_folder(tmp_path)
    found = embed_attribute_texts(folder, ATTRIBUTES)
    model, tokenizer = BertModel.from_pretrained(folder).eval(), BertTokenizer.from_pretrained(folder)
    for row, text in zip(found, ["heel height: flat, high", "back neckline"], strict=True):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        torch.testing.assert_close(row, states.mean(0) / states.mean(0).norm(), atol=1e-5, rtol=1e-4)


def test_models_that_read_no_text_are_named(tmp_path):
    tiny_asen().save_pretrained(tmp_path)
    tiny_image_processor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is of type 'asen', which is no text encoder"):
        embed_attribute_texts(tmp_path, ATTRIBUTES)
    with pytest.raises(FileNotFoundError, match="there is no model"):
        embed_attribute_texts(tmp_path / "none", ATTRIBUTES)
    with pytest.raises(ValueError, match="at least one attribute"):
        embed_attribute_texts(tmp_path, {})


def test_arguments_of_another_kind_are_named(tmp_path):
    with pytest.raises(ValueError, match="`text_encoder` must be a folder or a Hub id, got E2Model: save it"):
        embed_attribute_texts(tiny_model(), ATTRIBUTES)
    with pytest.raises(ValueError, match=r"`attributes` must be a dict, attribute -> its values, got \['heel'\]"):
        embed_attribute_texts(tmp_path, ["heel"])
    with pytest.raises(ValueError, match=r"`values` must be distinct strings, .*; got \[36, 38\]"):
        embed_attribute_texts(tmp_path, {"size": [36, 38]})
