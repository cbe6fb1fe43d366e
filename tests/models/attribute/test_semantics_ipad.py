"""IP-SE against the paper: eqs. 7 to 9 the long way, each region encoded once, transformers' attention functions."""

import math

import pytest
import torch
from torch import nn
from transformers import AutoModel

from hf_fashion.models.attribute.semantics_ipad import IpadCrossAttention, IpadSemantics, distinct_regions
from tests.tiny_ipad import DINOV2, REGISTERS, tiny_ipad, tiny_ipad_config, tiny_ipad_images


def branch(**kwargs) -> IpadSemantics:
    torch.manual_seed(0)
    return IpadSemantics(tiny_ipad_config(**kwargs)).double().eval()


def inputs(attributes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    regions = torch.randn(2, 3, 16, 16, generator=generator, dtype=torch.float64)
    return regions, torch.randn(2, attributes, 6, generator=generator, dtype=torch.float64)


def naive_heads(attention: IpadCrossAttention, query: torch.Tensor, tokens: torch.Tensor) -> list[torch.Tensor]:
    """Eq. 7, head by head: l_i = softmax(Q K^T / sqrt(D)) V with the D of a head; query (D,), tokens (N, D)."""
    heads = []
    size = attention.head_dim
    for start in range(0, len(query), size):
        q = attention.q_proj(query)[start : start + size]
        k = attention.k_proj(tokens)[:, start : start + size]
        v = attention.v_proj(tokens)[:, start : start + size]
        scores = torch.stack([(q * row).sum() for row in k]) / math.sqrt(size)
        heads.append((scores.softmax(0)[:, None] * v).sum(0))
    return heads


def test_eq_7_equals_a_loop_over_heads():
    attention = branch().cross_attention
    queries, tokens = torch.randn(2, 24).double(), torch.randn(2, 5, 24).double()
    joined = []
    attention.o_proj.register_forward_pre_hook(lambda _, args: joined.append(args[0]))
    attention(queries, tokens, torch.tensor([1, 0]))
    for row, region in enumerate((1, 0)):
        expected = torch.cat(naive_heads(attention, queries[row], tokens[region]))
        torch.testing.assert_close(joined[0][row], expected, rtol=0, atol=1e-10)


def test_eq_8_joins_the_heads_and_projects_them():
    module = branch()
    attention = module.cross_attention
    queries, tokens = torch.randn(1, 24).double(), torch.randn(1, 5, 24).double()
    found = module.projection(attention(queries, tokens, torch.tensor([0])))[0]
    heads = naive_heads(attention, queries[0], tokens[0])
    weight, bias = attention.o_proj.weight, attention.o_proj.bias
    mixed = bias + sum(weight[:, 8 * i : 8 * i + 8] @ head for i, head in enumerate(heads))
    torch.testing.assert_close(found, module.projection.weight @ mixed + module.projection.bias, rtol=0, atol=1e-10)


def test_eq_9_adds_the_feed_forward_network():
    """Eq. 9, l + FFN(LN(l)), and the final layer norm."""
    module = branch()
    regions, attributes = inputs(1)
    seen = []
    module.projection.register_forward_hook(lambda _, args, output: seen.append(output))
    found = module(regions, torch.arange(2), attributes)[:, 0]
    embeds = seen[0]
    hidden = module.fc1(module.ffn_norm(embeds))
    gelu = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    torch.testing.assert_close(found, module.final_norm(embeds + module.fc2(gelu)), rtol=0, atol=1e-10)


def test_queries_and_tokens_carry_their_types_and_the_class_token_is_dropped():
    module = branch()
    regions, attributes = inputs(1)
    seen = []
    module.cross_attention.register_forward_pre_hook(lambda _, args: seen.append(args))
    module(regions, torch.arange(2), attributes)
    queries, tokens, _ = seen[0]
    states = module.vit(regions).last_hidden_state
    types = module.type_embeddings.weight
    torch.testing.assert_close(tokens, module.cross_attention_norm(states[:, 1:] + types[1]))
    expected = module.cross_attention_norm(module.attribute_projection(attributes[:, 0]) + types[0])
    torch.testing.assert_close(queries, expected)


def test_the_vit_ends_with_its_last_layer():
    module = branch()
    states = module.vit(inputs()[0], output_hidden_states=True)
    torch.testing.assert_close(states.last_hidden_state, states.hidden_states[-1], rtol=0, atol=0)


VITS = {"vit": {"region_size": 24}, "dinov2": DINOV2, "registers": REGISTERS}


@pytest.mark.parametrize("region_size", [16, 24])
@pytest.mark.parametrize("fields", VITS.values(), ids=VITS)
def test_tokens_are_the_patches_of_transformers_model_before_its_norm(fields, region_size):
    """At the size that the model knows and at another, to which its positions are interpolated."""
    config = tiny_ipad_config(**fields | {"region_size": region_size})
    torch.manual_seed(0)
    module, seen = IpadSemantics(config).eval(), []
    for weight in module.vit.parameters():
        nn.init.normal_(weight, std=0.3)
    whole = AutoModel.from_config(config.vit_config).eval()
    whole.load_state_dict(module.vit.state_dict(), strict=False)
    module.cross_attention_norm.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    regions = torch.randn(2, 3, region_size, region_size)
    options = {"interpolate_pos_encoding": True} if config.vit_config.model_type == "vit" else {}
    with torch.no_grad():
        module(regions, torch.arange(2), torch.randn(2, 1, 6))
        expected = whole(regions, output_hidden_states=True, **options).hidden_states[-1]
    patches = (region_size // 4) ** 2
    assert expected.shape[1] == patches + 1 + 3 * (fields is REGISTERS)
    tokens = seen[1] - module.type_embeddings.weight[1]
    torch.testing.assert_close(tokens, expected[:, -patches:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("stored", [True, False], ids=["folder", "model"])
def test_the_norm_before_the_attention_starts_as_the_final_norm_of_the_pretrained_model(stored, tmp_path):
    semantics, again = branch(**DINOV2), branch(**DINOV2)
    source = AutoModel.from_config(semantics.vit.config)
    torch.nn.init.normal_(source.layernorm.weight)
    source.save_pretrained(tmp_path)
    semantics.load_vit(tmp_path if stored else source)
    assert torch.equal(semantics.cross_attention_norm.weight, source.layernorm.weight.double())
    again.load_vit(semantics.vit)  # the ViT of an IPAD has no final norm
    assert (again.cross_attention_norm.weight == 1).all()


def test_registers_that_a_dinov2_lacks_are_not_counted():
    """A field that a configuration does not know is kept by transformers, and means nothing."""
    fields = DINOV2["vit_config"] | {"num_register_tokens": 4}
    assert IpadSemantics(tiny_ipad_config(vit_config=fields)).num_first_tokens == 1


# Regions.


def test_pairs_of_image_and_box_are_told_apart():
    box, other = [0, 0, 8, 8], [0, 0, 8, 9]
    boxes = torch.tensor([[box, other, box], [other, other, box], [box, box, box]])
    first, pair_of_place = distinct_regions(boxes)
    assert len(first) == 5
    rows = boxes.flatten(0, 1)
    for place, pair in enumerate(pair_of_place.tolist()):
        assert torch.equal(rows[first[pair]], rows[place]) and first[pair] // 3 == place // 3
    assert sorted(first.tolist()) == [0, 1, 3, 5, 6]


def test_queries_find_their_region():
    """Each image and attribute by itself gives the same as all together."""
    module = branch()
    regions, attributes = inputs(3)
    region_of_query = torch.tensor([0, 1, 0, 1, 1, 0])
    together = module(regions, region_of_query, attributes).flatten(0, 1)
    for place, region in enumerate(region_of_query.tolist()):
        alone = module(regions[region : region + 1], torch.tensor([0]), attributes.flatten(0, 1)[place].view(1, 1, -1))
        torch.testing.assert_close(together[place], alone[0, 0], rtol=0, atol=1e-10)


def test_one_crop_serves_every_attribute_with_its_box():
    """Without spatial attention every attribute has the whole image: the ViT sees each image once."""
    model = tiny_ipad(use_spatial_attention=False)
    seen = []
    model.semantics.vit.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    outputs = model(tiny_ipad_images(2))
    assert seen == [2] and outputs.local_embeds.shape == (2, 3, 10)
    assert not torch.allclose(outputs.local_embeds[:, 0], outputs.local_embeds[:, 1])


# transformers.


@pytest.mark.parametrize("fields", [{}, DINOV2], ids=["vit", "dinov2"])
@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_attention_goes_through_transformers_functions(implementation, fields):
    model = tiny_ipad(attn_implementation=implementation, **fields)
    attention = model.semantics.cross_attention
    assert attention.config._attn_implementation == implementation
    assert model.semantics.vit.config._attn_implementation == implementation
    expected = tiny_ipad(**fields)(tiny_ipad_images())
    torch.testing.assert_close(model(tiny_ipad_images()).local_embeds, expected.local_embeds)


def test_the_implementation_can_be_changed_later():
    model = tiny_ipad(attn_implementation="sdpa")
    model.set_attn_implementation("eager")
    assert model.semantics.cross_attention.config._attn_implementation == "eager"
    assert model.semantics.vit.config._attn_implementation == "eager"


def test_attention_dropout_is_the_vits():
    model = tiny_ipad(vit_config=tiny_ipad_config().vit_config.to_dict() | {"attention_probs_dropout_prob": 0.9})
    attention = model.semantics.cross_attention
    queries, tokens = torch.randn(1, 24), torch.randn(1, 5, 24)
    first, second = (attention(queries, tokens, torch.tensor([0])) for _ in range(2))
    assert torch.equal(first, second)
    attention.train()
    first, second = (attention(queries, tokens, torch.tensor([0])) for _ in range(2))
    assert not torch.equal(first, second)
    assert isinstance(model.semantics.vit.layernorm, nn.Identity)
