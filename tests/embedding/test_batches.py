"""Embeddings of batches against single forward passes."""

import copy

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.batches import embed_batches, has_regions
from tests.tiny_dual_encoder import tiny_dual_encoder
from tests.tiny_e2 import tiny_inputs
from tests.tiny_filip import tiny_filip


def batches(count: int = 3):
    inputs = tiny_inputs(2 * count)
    return [{name: value[2 * i : 2 * i + 2] for name, value in inputs.items()} for i in range(count)]


def test_e2_gives_images_regions_selections_and_texts(e2):
    given = batches()
    embeds = embed_batches(e2, given, progress=False)
    with torch.no_grad():
        expected = e2(**{name: torch.cat([batch[name] for batch in given]) for name in given[0]})
    for name in ("image_embeds", "region_embeds", "text_embeds"):
        torch.testing.assert_close(embeds[name], getattr(expected, name))
    for i, selection in enumerate(expected.selections):
        assert torch.equal(embeds[f"selections_{i}"], selection.indices)


def test_filip_gives_tokens_that_metrics_compare():
    model, given = tiny_filip(), batches()
    given[1]["input_ids"], given[1]["attention_mask"] = (
        torch.nn.functional.pad(given[1][name], (0, 2)) for name in ("input_ids", "attention_mask")
    )
    embeds = embed_batches(model, given, progress=False)
    assert set(embeds) == {"image_embeds", "text_embeds"} and len(embeds["image_embeds"]) == 6
    with torch.no_grad():
        expected = model(given[1]["input_ids"], given[1]["pixel_values"], given[1]["attention_mask"])
    found = embeds["image_embeds"][2:4].scores(embeds["text_embeds"][2:4]) * model.logit_scale.exp()
    torch.testing.assert_close(found, expected.logits_per_image)
    found = embeds["text_embeds"][2:4].scores(embeds["image_embeds"][2:4]) * model.logit_scale.exp()
    torch.testing.assert_close(found, expected.logits_per_text)


def test_clip_gives_images_and_texts(clip):
    given = batches()
    embeds = embed_batches(clip, given, progress=False)
    assert set(embeds) == {"image_embeds", "text_embeds"}
    clip.eval()
    with torch.no_grad():
        images = clip.get_image_features(pixel_values=given[1]["pixel_values"]).pooler_output
        texts = clip.get_text_features(given[1]["input_ids"], given[1]["attention_mask"]).pooler_output
    torch.testing.assert_close(embeds["image_embeds"][2:4], normalize(images, dim=1))
    torch.testing.assert_close(embeds["text_embeds"][2:4], normalize(texts, dim=1))


def test_one_side_is_enough(e2):
    images = [{"pixel_values": batch["pixel_values"]} for batch in batches()]
    texts = [{name: batch[name] for name in ("input_ids", "attention_mask")} for batch in batches()]
    assert set(embed_batches(e2, texts, progress=False)) == {"text_embeds"}
    assert embed_batches(e2, images, progress=False)["region_embeds"].shape == (6, 2, 12)


@pytest.mark.parametrize("name", ["e2", "clip"])
def test_bfloat16_gives_float32_of_unit_length(name, request):
    model = copy.deepcopy(request.getfixturevalue(name)).to(torch.bfloat16)
    for kind, embeds in embed_batches(model, batches(), progress=False).items():
        if kind.endswith("embeds"):
            assert embeds.dtype == torch.float32
            torch.testing.assert_close(embeds.norm(dim=-1), torch.ones(embeds.shape[:-1]))


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_restored_and_inference_is_deterministic(e2, training):
    model = copy.deepcopy(e2).train(training)
    first, second = (embed_batches(model, batches(), progress=False) for _ in range(2))
    assert model.training is training
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_mode_is_restored_after_an_error(e2):
    model = copy.deepcopy(e2).train()
    with pytest.raises(ValueError, match=r"must hold `pixel_values` or `input_ids`, got \['tag_ids'\]"):
        embed_batches(model, [{"tag_ids": torch.zeros(1)}], progress=False)
    assert model.training


def test_no_batches_is_an_error(e2):
    with pytest.raises(ValueError, match="nothing to embed"):
        embed_batches(e2, [], progress=False)


def test_has_regions(e2, clip):
    assert has_regions(e2) and not has_regions(clip)


def test_a_model_that_is_not_supported_is_refused():
    with pytest.raises(ValueError, match="type 'vision-text-dual-encoder' is not supported, only E2"):
        embed_batches(tiny_dual_encoder(), batches(), progress=False)
