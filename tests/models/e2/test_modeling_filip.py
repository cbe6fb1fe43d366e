"""FILIP: its logits are token similarities of both ways, on the towers of every family."""

import pytest
import torch
from transformers import AutoModel, AutoProcessor

from hf_fashion import E2Processor, FilipModel
from hf_fashion.models.e2.losses_e2 import filip_loss
from hf_fashion.models.e2.towers_e2 import TOWER_FAMILIES
from tests.tiny_e2 import tiny_inputs, tiny_model, tiny_processor
from tests.tiny_filip import filip_on, tiny_filip
from tests.tiny_towers import tiny_bert, tiny_clip, tiny_pixels, tiny_tower, tiny_two_towers


def photos_and_texts(number: int = 2) -> dict[str, torch.Tensor]:
    inputs = tiny_inputs(number)
    return {name: inputs[name] for name in ("input_ids", "attention_mask", "pixel_values")}


def test_logits_are_scaled_token_similarities_without_padding():
    model, inputs = tiny_filip(), photos_and_texts(3)
    inputs["attention_mask"][1, -3:] = 0
    outputs = model(**inputs)
    assert outputs.image_token_embeds.shape == (3, 16, 12), "16 patches, no class token"
    assert torch.equal(outputs.text_token_mask, inputs["attention_mask"])
    for i in range(3):
        for t in range(3):
            text = outputs.text_token_embeds[t][outputs.text_token_mask[t].bool()]
            products = outputs.image_token_embeds[i] @ text.T
            for found, expected in (
                (outputs.logits_per_image[i, t], products.amax(1).mean()),
                (outputs.logits_per_text[t, i], products.amax(0).mean()),
            ):
                torch.testing.assert_close(found, model.logit_scale.exp() * expected)


def test_tokens_are_unit_vectors_of_the_towers_last_states():
    model, inputs = tiny_filip(), photos_and_texts()
    outputs = model(**inputs)
    for embeds in (outputs.image_token_embeds, outputs.text_token_embeds):
        torch.testing.assert_close(embeds.norm(dim=-1), torch.ones(embeds.shape[:2]))
    vision = model.vision_model(inputs["pixel_values"])
    patches = model.visual_projection(model.vision_model.post_layernorm(vision.last_hidden_state[:, 1:]))
    torch.testing.assert_close(outputs.image_token_embeds, torch.nn.functional.normalize(patches, dim=-1))


def test_pooled_embeddings_are_those_of_the_clip_it_is_built_around():
    clip = tiny_clip()
    model, inputs = (
        FilipModel.from_clip(clip),
        {"pixel_values": tiny_pixels(), "input_ids": torch.tensor([[97, 3, 98]])},
    )
    expected, outputs = clip(**inputs), model(**inputs)
    torch.testing.assert_close(outputs.image_embeds, expected.image_embeds)
    torch.testing.assert_close(outputs.text_embeds, expected.text_embeds)
    assert FilipModel.from_towers(clip).state_dict().keys() == model.state_dict().keys()


def test_the_loss_is_filips_and_needs_both_sides():
    model, inputs = tiny_filip(), photos_and_texts(4)
    outputs = model(**inputs, return_loss=True)
    torch.testing.assert_close(outputs.loss, filip_loss(outputs.logits_per_image, outputs.logits_per_text))
    with pytest.raises(ValueError, match="give both `input_ids` and `pixel_values`"):
        model(pixel_values=inputs["pixel_values"], return_loss=True)
    with pytest.raises(ValueError, match=r"got 1 images, 4 texts\."):
        model(**inputs | {"pixel_values": inputs["pixel_values"][:1]}, return_loss=True)
    with pytest.raises(ValueError, match="specify `input_ids`, `pixel_values`"):
        model()


def test_values_stand_in_the_order_of_the_fields():
    inputs = {name: value for name, value in tiny_inputs(3).items() if not name.startswith("tag")}
    outputs = tiny_filip()(**inputs, return_loss=True)
    assert outputs[0] is outputs.loss and outputs[1] is outputs.logits_per_image


def test_one_side_only_and_no_comparison():
    model, inputs = tiny_filip(), photos_and_texts()
    photos = model(pixel_values=inputs["pixel_values"])
    assert photos.text_token_embeds is None and photos.logits_per_image is None
    both = model(**inputs, compare=False)
    assert both.logits_per_text is None
    torch.testing.assert_close(both.image_token_embeds, photos.image_token_embeds)


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_every_weight_of_a_tower_learns_and_only_patches_are_compared(family):
    model, ids = filip_on(family).train(), torch.arange(1, 11).view(2, 5)
    outputs = model(input_ids=ids, pixel_values=tiny_pixels(), return_loss=True)
    assert outputs.image_token_embeds.shape == (2, 16, 12)
    outputs.loss.backward()
    # An embedding of no selection tokens and the heads of no entity have nothing to learn.
    assert [name for name, weight in model.named_parameters() if weight.grad is None and weight.numel()] == []


@pytest.mark.parametrize("family", TOWER_FAMILIES)
def test_patches_are_those_of_the_bare_model(family):
    tower = tiny_tower(family)
    patches = tower(tiny_pixels()).last_hidden_state[:, -16:]
    model = FilipModel.from_towers(tower, tiny_bert(), projection_dim=12)
    vision = model.get_image_features(tiny_pixels())
    torch.testing.assert_close(
        model.vision_model.split_patches(vision.last_hidden_state), patches, rtol=1e-5, atol=1e-5
    )


def test_siglip_keeps_its_loss_and_its_padding_is_not_compared():
    model = FilipModel.from_towers(tiny_two_towers())
    ids = torch.ones(2, 12, dtype=torch.long)  # </s>, which ends a text and fills it up
    ids[0, :4], ids[1, :3] = torch.tensor([5, 6, 1, 7]), torch.tensor([8, 9, 10])
    outputs = model(input_ids=ids, pixel_values=tiny_pixels(), return_loss=True)
    assert outputs.text_token_mask.sum(1).tolist() == [5, 4], "of the padding the first, the end token"
    expected = filip_loss(outputs.logits_per_image, outputs.logits_per_text, sigmoid=True)
    torch.testing.assert_close(outputs.loss, expected)
    assert model.logit_bias.item() == -3
    last = model.text_model(ids).pooler_output  # SigLIP pools at the last position
    torch.testing.assert_close(outputs.text_token_embeds[:, -1], torch.nn.functional.normalize(last, dim=-1))


def test_without_a_mask_all_tokens_of_other_towers_count():
    assert tiny_filip().real_tokens(torch.tensor([[1, 2, 2]])).all()


def test_bfloat16(tmp_path):
    tiny_filip().save_pretrained(tmp_path)
    model, inputs = FilipModel.from_pretrained(tmp_path, dtype=torch.bfloat16), photos_and_texts()
    outputs = model(**inputs | {"pixel_values": inputs["pixel_values"].bfloat16()}, return_loss=True)
    assert outputs.logits_per_image.isfinite().all() and model.logit_scale.dtype == torch.float32


def test_auto_classes_know_it(tmp_path):
    model, inputs = tiny_filip(), photos_and_texts()
    model.save_pretrained(tmp_path)
    tiny_processor().save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    assert type(again) is FilipModel and isinstance(AutoProcessor.from_pretrained(tmp_path), E2Processor)
    torch.testing.assert_close(again(**inputs).logits_per_text, model(**inputs).logits_per_text)
    assert again.config.auto_map["AutoModelForZeroShotImageClassification"] == "modeling_filip.FilipModel"


def test_an_e2_is_still_named_in_its_own_folder(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    found = AutoModel.from_pretrained(tmp_path).config.auto_map
    assert found["AutoModelForZeroShotImageClassification"] == "modeling_e2.E2Model"


def test_it_compiles_to_one_graph():
    model, inputs = tiny_filip(), photos_and_texts()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(**inputs).logits_per_image, model(**inputs).logits_per_image)
