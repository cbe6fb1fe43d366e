"""The attention of ASEN and ASEN++ against loops, place by place and attribute by attribute."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

from hf_fashion.models.attribute.attention_attribute import ChannelGate, SpatialAttention, attend, attention_logits


def slow_attention(layer: SpatialAttention, image_map: torch.Tensor, attribute: torch.Tensor, variant: str):
    """(attention (N,), pooled (C,)) for one image (C, h, w) and one attribute (P,)."""
    places = image_map.flatten(1).T  # (N, C)
    query = torch.tanh(layer.attribute_projection(attribute))
    kernel, bias = layer.image_projection.weight[:, :, 0, 0], layer.image_projection.bias
    scores = []
    for place in places:
        key = kernel @ place + bias
        if variant == "v2":
            key = layer.image_norm(key[None, :, None, None]).flatten()
        products = torch.tanh(key) * query
        if variant == "v1":
            scores.append(torch.tanh(layer.channel_weights(products[None, :, None])).squeeze())
        else:
            scores.append(products.sum() / len(query) ** 0.5)
    weights = torch.stack(scores).exp() / torch.stack(scores).exp().sum()
    return weights, sum(weight * place for weight, place in zip(weights, places, strict=True))


@pytest.mark.parametrize("variant", ["plus", "v1", "v2"])
def test_spatial_attention_equals_a_loop(variant):
    torch.manual_seed(0)
    layer = SpatialAttention(5, 4, 6, variant).double().eval()
    if variant == "v2":
        torch.nn.init.uniform_(layer.image_norm.running_var, 0.5, 2)
        torch.nn.init.normal_(layer.image_norm.running_mean)
    image_map, embeds = torch.randn(2, 5, 3, 4, dtype=torch.float64), torch.randn(2, 7, 4, dtype=torch.float64)
    with torch.no_grad():
        attention, pooled = layer(image_map, embeds)
        assert attention.shape == (2, 7, 3, 4) and pooled.shape == (2, 7, 5)
        for image in range(2):
            for attribute in range(7):
                expected = slow_attention(layer, image_map[image], embeds[image, attribute], variant)
                torch.testing.assert_close(attention[image, attribute].flatten(), expected[0], rtol=1e-10, atol=1e-12)
                torch.testing.assert_close(pooled[image, attribute], expected[1], rtol=1e-10, atol=1e-12)


def test_channel_gate_equals_the_formula():
    torch.manual_seed(0)
    gate = ChannelGate(6, 4, reduction=3).double()
    pooled, embeds = torch.randn(2, 3, 6, dtype=torch.float64), torch.randn(2, 3, 4, dtype=torch.float64)
    with torch.no_grad():
        factors = gate(pooled, embeds)
        for image in range(2):
            for attribute in range(3):
                w2p = gate.attribute_projection.weight @ embeds[image, attribute] + gate.attribute_projection.bias
                both = torch.cat([pooled[image, attribute], w2p.clamp(min=0)])
                hidden = (gate.fc1.weight @ both + gate.fc1.bias).clamp(min=0)
                expected = 1 / (1 + (-(gate.fc2.weight @ hidden + gate.fc2.bias)).exp())
                torch.testing.assert_close(factors[image, attribute], expected, rtol=1e-10, atol=1e-12)
    assert gate.fc1.out_features == 2


def test_logits_and_pooling_by_hand():
    keys = torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 0.0], [0.0, 3.0]]])  # four channels, two places
    queries = torch.tensor([[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 2.0]]])
    logits = attention_logits(keys, queries)
    assert logits.tolist() == [[[1.5, 2.0], [0.0, 3.0]]]
    attention, pooled = attend(logits, torch.tensor([[[[10.0, 20.0]]]]))
    assert attention.shape == (1, 2, 1, 2)
    share = 1 / (1 + torch.tensor(0.5).exp())  # of the first place
    torch.testing.assert_close(pooled[0, 0, 0], 10 * share + 20 * (1 - share))


def test_attention_in_half_precision_is_exact_in_sum():
    attention, pooled = attend(torch.randn(1, 2, 400).bfloat16(), torch.randn(1, 3, 20, 20).bfloat16())
    assert attention.dtype == torch.float32 and pooled.dtype == torch.bfloat16
    torch.testing.assert_close(attention.sum((2, 3)), torch.ones(1, 2))


def test_an_adapter_of_v1s_second_convolution_counts_as_when_it_is_merged():
    torch.manual_seed(0)
    layer = SpatialAttention(5, 4, 6, "v1")
    model = get_peft_model(layer, LoraConfig(r=2, target_modules=["channel_weights"])).eval()
    torch.nn.init.normal_(layer.channel_weights.lora_B["default"].weight)
    inputs = torch.randn(2, 5, 3, 4), torch.randn(2, 7, 4)
    attention, _ = model(*inputs)
    merged, _ = model.merge_and_unload()(*inputs)
    torch.testing.assert_close(attention, merged)
    torch.manual_seed(0)
    assert not torch.allclose(attention, SpatialAttention(5, 4, 6, "v1")(*inputs)[0])
