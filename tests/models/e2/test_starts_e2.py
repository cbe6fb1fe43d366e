"""An E2 is built around encoders of transformers: what is taken over, what is new, what is refused."""

from pathlib import Path

import pytest
import torch
from transformers import CLIPModel

from hf_fashion import E2Model
from tests.tiny_towers import hide_new_tokens, tiny_bert, tiny_clip, tiny_pixels, tiny_tower, tiny_two_towers


IDS = torch.arange(1, 25).view(2, 12)


def test_two_encoders_meet_in_new_projections():
    model = E2Model.from_towers(tiny_tower("dinov2"), tiny_bert(), tag_entities=["brand"], projection_dim=12)
    for tower, encoder in ((model.vision_model.tower, tiny_tower("dinov2")), (model.text_model, tiny_bert())):
        weights = encoder.state_dict()
        assert all(torch.equal(tensor, weights[name]) for name, tensor in tower.state_dict().items())
    assert model.visual_projection.weight.shape == model.text_projection.weight.shape == (12, 16)
    assert model(input_ids=IDS, pixel_values=tiny_pixels()).logits_per_image.shape == (2, 2)


def test_siglip_keeps_its_space_its_temperature_and_its_loss():
    siglip = tiny_two_towers()
    model = E2Model.from_towers(siglip, tag_entities=["brand"])
    hide_new_tokens(model, first=0)
    inputs = {"input_ids": IDS, "pixel_values": tiny_pixels(), "return_loss": True}
    outputs, expected = model(**inputs), siglip(**inputs)
    torch.testing.assert_close(outputs.image_embeds, expected.image_embeds, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(outputs.text_embeds, expected.text_embeds, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(outputs.logits_per_image, expected.logits_per_image, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(outputs.losses["contrastive"], expected.loss, rtol=1e-5, atol=1e-5)


def test_a_side_of_a_model_of_two_towers():
    pairs = [(tiny_clip(), tiny_bert()), (tiny_tower("vit"), tiny_clip()), (tiny_tower("vit"), tiny_two_towers())]
    for vision, text in pairs:
        model = E2Model.from_towers(vision, text, tag_entities=["brand"])
        assert model.get_image_features(tiny_pixels()).pooler_output.shape == (2, 512)
    encoder = tiny_two_towers().text_model
    torch.testing.assert_close(model.text_model(IDS).pooler_output, encoder(IDS).pooler_output)


def test_a_clip_by_itself_is_what_from_clip_makes():
    made = [
        make(tiny_clip(), tag_entities=["brand"]).state_dict() for make in (E2Model.from_towers, E2Model.from_clip)
    ]
    assert made[0].keys() == made[1].keys()
    name = "vision_model.encoder.layers.0.self_attn.q_proj.weight"
    assert torch.equal(made[0][name], made[1][name])


@pytest.mark.parametrize("path", [str, Path])
def test_folders_are_taken_and_come_back_equal(path, tmp_path):
    for name, encoder in (("vision", tiny_tower("dinov3_vit")), ("text", tiny_bert())):
        encoder.save_pretrained(tmp_path / name)
    model = E2Model.from_towers(path(tmp_path / "vision"), path(tmp_path / "text"), tag_entities=["brand"])
    model.save_pretrained(tmp_path / "e2")
    loaded, inputs = E2Model.from_pretrained(tmp_path / "e2"), {"input_ids": IDS, "pixel_values": tiny_pixels()}
    torch.testing.assert_close(loaded(**inputs).logits_per_image, model(**inputs).logits_per_image, rtol=0, atol=0)


def test_half_precision_is_kept_but_not_for_temperature_and_bias(tmp_path):
    tiny_two_towers().to(torch.bfloat16).save_pretrained(tmp_path)
    model = E2Model.from_towers(str(tmp_path), tag_entities=["brand"])
    assert model.dtype == model.vision_model.tower.dtype == torch.bfloat16
    assert model.logit_scale.dtype == model.logit_bias.dtype == torch.float32
    assert model.logit_bias.item() == -3


def test_the_float_type_may_be_named_and_no_memory_is_shared():
    whole = tiny_two_towers()
    model = E2Model.from_towers(whole, tag_entities=["brand"], dtype="float32")
    stored = {tensor.data_ptr() for tensor in whole.state_dict().values()}
    assert [name for name, tensor in model.state_dict().items() if tensor.data_ptr() in stored] == []
    assert E2Model.from_towers(whole, dtype="float16").dtype == torch.float16
    assert E2Model.from_towers(whole, dtype="auto").dtype == torch.float32
    clip = E2Model.from_towers(tiny_clip(), dtype="torch.bfloat16")
    assert (clip.dtype, clip.logit_scale.dtype) == (torch.bfloat16, torch.float32)
    for wrong in ("bf16", "int8", torch.int32):
        with pytest.raises(ValueError, match="`dtype` must be a float type of torch"):
            E2Model.from_towers(whole, dtype=wrong)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_text_pooling(pooling):
    model = E2Model.from_towers(tiny_tower("vit"), tiny_bert(), text_pooling=pooling)
    mask = torch.ones_like(IDS)
    mask[1, 7:] = 0
    states = tiny_bert()(IDS, mask).last_hidden_state
    expected = states[:, 0] if pooling == "first" else torch.stack([states[0].mean(0), states[1, :7].mean(0)])
    embeds = model.get_text_features(IDS, mask).pooler_output
    torch.testing.assert_close(embeds, model.text_projection(expected))
    # The same text, with padding on the left.
    ids, mask = IDS[1:].roll(IDS.shape[1] - 7, 1), mask[1:].flip(1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    on_the_left = model.get_text_features(ids, mask, positions).pooler_output
    torch.testing.assert_close(on_the_left, embeds[1:])


def test_a_vision_encoder_wants_a_text_encoder():
    with pytest.raises(ValueError, match=r"`text` is missing.*\(clip, siglip\)"):
        E2Model.from_towers(tiny_tower("dinov2"))


def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path):
    tower = tiny_tower("dinov2")
    weights = tower.state_dict()
    del weights["layernorm.weight"]
    tower.save_pretrained(tmp_path, state_dict=weights)
    with pytest.raises(ValueError, match=r"not a whole 'dinov2' checkpoint: missing \['layernorm.weight'\]"):
        E2Model.from_towers(str(tmp_path), tiny_bert())


def test_another_model_as_the_vision_side_is_refused_before_its_weights_are_read(tmp_path):
    CLIPModel(tiny_clip().config).text_model.config.save_pretrained(tmp_path)  # no weights are there
    with pytest.raises(ValueError, match="'clip_text_model', only on: clip_vision_model"):
        E2Model.from_towers(str(tmp_path), tiny_bert())
