"""The vision towers: which class a configuration makes, types, gradient checkpointing, adapters, automatic devices."""

import pytest
import torch
from accelerate import FullyShardedDataParallelPlugin, cpu_offload
from peft import LoraConfig, get_peft_model

from hf_fashion import E2Config, E2Model
from hf_fashion.models.e2.modeling_e2_vision import E2TowerTransformer, E2VisionTransformer, vision_tower
from tests.tiny_e2 import tiny_model
from tests.tiny_filip import filip_on, tiny_filip
from tests.tiny_towers import tiny_bert, tiny_pixels, tiny_tower


def on_dinov2(**fields) -> E2Model:
    return E2Model.from_towers(tiny_tower("dinov2"), tiny_bert(), tag_entities=["brand"], **fields)


def test_a_configuration_says_which_tower():
    clip = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    assert isinstance(vision_tower(E2Config(vision_config=clip).vision_config), E2VisionTransformer)
    other = E2Config(vision_config=tiny_tower("dinov2").config).vision_config
    assert isinstance(vision_tower(other), E2TowerTransformer)


def test_pixels_and_tokens_follow_the_type_of_the_weights():
    outputs = on_dinov2().to(torch.bfloat16)(pixel_values=tiny_pixels())
    assert outputs.region_embeds.dtype == outputs.image_embeds.dtype == torch.bfloat16


def test_gradient_checkpointing_gives_the_same_gradients():
    gradients = []
    for checkpointing in (False, True):
        model = on_dinov2().train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        torch.manual_seed(0)  # of the noise that selects
        model(pixel_values=tiny_pixels()).region_embeds[..., 0].sum().backward()
        gradients.append(model.vision_model.tower.encoder.layer[0].mlp.fc1.weight.grad)
    torch.testing.assert_close(*gradients)


def test_offloaded_weights_give_the_same():
    expected = on_dinov2()(pixel_values=tiny_pixels()).region_embeds
    model = cpu_offload(on_dinov2(), torch.device("cpu"))
    torch.testing.assert_close(model(pixel_values=tiny_pixels()).region_embeds, expected)


def test_adapters_adapt_both_towers_and_train_the_new_parts():
    model = on_dinov2()
    model = get_peft_model(model, LoraConfig(modules_to_save=model.lora_modules_to_save))
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    for part in ("tower.encoder.layer.0", "text_model.encoder.layer.0", "fusion_blocks", "region_head", "projection"):
        assert any(part in name for name in trained), part


CLIP_LAYERS = {"CLIPEncoderLayer"}
MODELS = {
    "clip": (tiny_model, CLIP_LAYERS | {"E2FusionBlock"}),
    "clip without entities": (lambda: tiny_model(tag_entities=[], fusion_layers=[]), CLIP_LAYERS),
    "dinov2": (on_dinov2, {"Dinov2Layer", "BertLayer", "E2FusionBlock"}),
    "filip": (tiny_filip, CLIP_LAYERS),
    "filip on vit": (lambda: filip_on("vit"), {"ViTLayer", "BertLayer"}),
}


@pytest.mark.parametrize("make", MODELS)
def test_fsdp_wraps_the_layers_of_the_towers(make):
    model, layers = MODELS[make][0](), MODELS[make][1]
    plugin = FullyShardedDataParallelPlugin(auto_wrap_policy="transformer_based_wrap")
    plugin.set_auto_wrap_policy(model)
    wrapped = {kind.__name__ for kind in plugin.auto_wrap_policy.keywords["transformer_layer_cls"]}
    assert wrapped == model._no_split_modules and layers <= wrapped
