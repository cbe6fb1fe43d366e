"""How selection tokens take patches, what is left of the patches, and what the region head reads."""

import pytest
import torch

from hf_fashion.models.e2.configuration_e2 import E2VisionConfig
from hf_fashion.models.e2.selection_e2 import E2FusionBlock
from tests.tiny_e2 import tiny_config, tiny_inputs, tiny_model


def fusion_block(training: bool) -> tuple[E2FusionBlock, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    block = E2FusionBlock(tiny_config().vision_config).double().train(training)
    return block, torch.randn(2, 4, 16, dtype=torch.float64), torch.randn(2, 9, 16, dtype=torch.float64)


def test_fusion_follows_the_equations_of_the_paper():
    """r = onehot(argmax(g Wq (x Wk)ᵀ / sqrt(D))) x Wv and g' = (g + r) / 2, computed the long way."""
    block, tokens, patches = fusion_block(training=False)
    fused, selection = block(tokens, patches)
    scores = block.q_proj(tokens) @ block.k_proj(patches).transpose(1, 2) / 16**0.5
    onehot = torch.nn.functional.one_hot(scores.argmax(-1), 9).double()
    torch.testing.assert_close(fused, (tokens + onehot @ block.v_proj(patches)) / 2)
    torch.testing.assert_close(selection.scores.double(), scores.softmax(-1), rtol=1e-5, atol=1e-6)
    assert torch.equal(selection.indices, scores.argmax(-1))


def test_scores_in_float16_do_not_overflow_before_they_are_scaled():
    block, _, _ = fusion_block(training=False)
    for layer in (block.q_proj, block.k_proj):
        torch.nn.init.eye_(layer.weight)
    tokens = 100 * torch.ones(1, 1, 16, dtype=torch.float16)
    patches = torch.cat([0.999 * tokens, tokens], dim=1)  # products of 160,000
    selection = block.half()(tokens, patches)[1]
    assert selection.scores.isfinite().all() and selection.indices.item() == 1


@pytest.mark.parametrize("width", [24, 48, 768])
def test_that_changes_no_digit_of_the_scores(width):
    torch.manual_seed(0)
    block = E2FusionBlock(E2VisionConfig(hidden_size=width)).eval()
    tokens, patches = torch.randn(2, 3, width), torch.randn(2, 5, width)
    products = (block.q_proj(tokens) @ block.k_proj.weight) @ patches.transpose(1, 2)
    assert torch.equal(block(tokens, patches)[1].scores, (products * width**-0.5).softmax(-1))


def test_training_takes_one_patch_and_lets_gradients_through_the_scores():
    block, tokens, patches = fusion_block(training=True)
    fused, selection = block(tokens, patches)
    values = block.v_proj(patches)
    nearest = torch.cdist(2 * fused - tokens, values).min(-1)
    assert nearest.values.max() < 1e-6, "each token adds the value of exactly one patch"
    assert torch.equal(selection.indices, nearest.indices)
    fused.sum().backward()
    assert block.q_proj.weight.grad.abs().sum() > 0 and block.k_proj.weight.grad.abs().sum() > 0


def test_training_draws_and_inference_does_not():
    model, pixels = tiny_model(), tiny_inputs()["pixel_values"]
    assert torch.equal(model(pixel_values=pixels).region_embeds, model(pixel_values=pixels).region_embeds)
    model.train()
    assert not torch.equal(model(pixel_values=pixels).region_embeds, model(pixel_values=pixels).region_embeds)


def test_low_temperature_noise_prefers_high_scores():
    """The arg-max of scores plus Gumbel noise follows the softmax of the scores, whatever the temperature."""
    block, tokens, patches = fusion_block(training=True)
    block.q_proj.weight.data *= 3
    many = 4000
    fused, selection = block(tokens[:1].expand(many, -1, -1), patches[:1].expand(many, -1, -1))
    values = block.v_proj(patches[:1])
    chosen = torch.cdist(2 * fused - tokens[:1], values.expand(many, -1, -1)).argmin(-1)  # (many, 4)
    shares = torch.nn.functional.one_hot(chosen, 9).double().mean(0)
    torch.testing.assert_close(shares, selection.scores[0].double(), rtol=0, atol=0.04)


@pytest.mark.parametrize(("drop", "tokens"), [(True, 1 + 4), (False, 1 + 4 + 16)])
def test_patch_tokens_before_the_last_layer(drop, tokens):
    model = tiny_model(drop_patch_tokens=drop)
    outputs = model.vision_model(tiny_inputs()["pixel_values"], output_hidden_states=True)
    assert outputs.last_hidden_state.shape[1] == tokens
    assert [h.shape[1] for h in outputs.hidden_states] == [21, 21, 21, tokens]


def test_without_fusion_the_tokens_attend_only():
    model = tiny_model(fusion_layers=[])
    outputs = model(**tiny_inputs())
    assert outputs.selections == () and outputs.region_embeds.shape == (2, 2, 12)


def test_region_head_pools_each_entity_over_its_own_tokens():
    model = tiny_model()
    tokens = torch.randn(2, 4, 16)
    before = model.region_head(tokens)
    tokens[:, 2:] += torch.randn(2, 2, 16)
    after = model.region_head(tokens)
    assert torch.equal(before[:, 0], after[:, 0]) and not torch.allclose(before[:, 1], after[:, 1])
    norm, project = model.region_head.layer_norms[0], model.region_head.projections[0]
    torch.testing.assert_close(after[:, 0], project(norm(tokens[:, :2]).mean(1)))


def test_pooled_regions_change_nothing_in_a_new_model_and_learn_from_the_contrastive_loss():
    plain, pooled, inputs = tiny_model(), tiny_model(pool_regions=True), tiny_inputs(3)
    pooled.load_state_dict(plain.state_dict(), strict=False)
    torch.testing.assert_close(pooled(**inputs).image_embeds, plain(**inputs).image_embeds)
    images = {name: inputs[name] for name in ("pixel_values", "input_ids", "attention_mask")}
    pooled(**images, return_loss=True).losses["contrastive"].backward()
    assert pooled.region_pool.projection.weight.grad.abs().sum() > 0


def test_pooled_regions_are_a_projection_of_their_mean():
    model, pixels = tiny_model(pool_regions=True), tiny_inputs()["pixel_values"]
    before = model.get_image_features(pixels).pooler_output
    torch.nn.init.eye_(model.region_pool.projection.weight)
    mean = torch.nn.functional.normalize(model.get_region_features(pixels), dim=-1).mean(1)
    torch.testing.assert_close(model.get_image_features(pixels).pooler_output, before + mean)
