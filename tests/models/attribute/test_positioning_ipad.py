"""IP-SP against the paper: a loop over images, attributes and rounds that keeps every map; each equation by number."""

import math

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hf_fashion.models.attribute.attention_attribute import ChannelGate
from hf_fashion.models.attribute.positioning_ipad import (
    IpadEmbeddingHead,
    IpadPositioning,
    accumulated_attention,
    suppressed_attention,
    suppression_mask,
)
from tests.tiny_ipad import RPF, tiny_ipad_config


CHANNELS = 12
EXACT = {"rtol": 0, "atol": 1e-10}


def branch(seed: int = 0, scale: float = 1.0, **kwargs) -> IpadPositioning:
    """A branch in double precision; `scale` sharpens its attention."""
    torch.manual_seed(seed)
    module = IpadPositioning(tiny_ipad_config(**kwargs), CHANNELS).double().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    if module.spatial_attention is not None:
        module.spatial_attention.image_projection.weight.data *= scale
    return module


def inputs(number: int = 2, attributes: int = 3, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image_map = torch.randn(number, CHANNELS, 3, 4, generator=generator, dtype=torch.float64)
    return image_map, torch.randn(number, attributes, 6, generator=generator, dtype=torch.float64)


# The reference: eqs. 1 to 6 for one image and one attribute, as they are printed.


def naive_attention(module: IpadPositioning, x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Eqs. 1 and 2, with the product of every channel: x (C, h, w), p (C,) to attention (h, w)."""
    config = module.config
    if module.spatial_attention is None:
        return torch.full(x.shape[1:], 1 / x[0].numel(), dtype=x.dtype)
    latent_x = torch.tanh(module.spatial_attention.image_projection(x[None])[0])  # (c, h, w)
    latent_p = torch.tanh(module.spatial_attention.attribute_projection(p))  # (c,)
    product = latent_x * latent_p[:, None, None]  # eq. 1
    activation = product.sum(0)
    kept = activation >= config.suppression_ratio * activation.max()  # eq. 2
    logits = product.sum(0) / math.sqrt(config.attention_dim)
    if config.suppression == "adaptive":
        logits = (product * kept).sum(0) / math.sqrt(config.attention_dim)
    elif config.suppression == "exclude" and kept.any():
        logits = torch.where(kept, logits, torch.tensor(-math.inf, dtype=logits.dtype))
    return (logits - logits.max()).exp() / (logits - logits.max()).exp().sum()


def naive_gate(module: IpadPositioning, x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    if module.channel_gate is None:
        return torch.ones(CHANNELS, dtype=x.dtype)
    gate = module.channel_gate
    hidden = torch.cat([x.mean((1, 2)), torch.relu(gate.attribute_projection(p))])
    return torch.sigmoid(gate.fc2(torch.relu(gate.fc1(hidden))))


def naive_head(module: IpadPositioning, readout: torch.Tensor) -> torch.Tensor:
    """Eqs. 5 and 6."""
    embed, head = module.projection(readout), module.head
    return head.layer_norm(embed + head.fc2(torch.relu(head.fc1(head.layer_norm(embed)))))


def naive_positioning(module: IpadPositioning, image_map: torch.Tensor, attribute: torch.Tensor):
    """(C, h, w) and (attribute_dim,) to embedding, background's embedding and how x weighs cells after each round."""
    config, cells = module.config, image_map[0].numel()
    weights = torch.ones_like(image_map[0])
    x = module.map_norm(image_map.permute(1, 2, 0)).permute(2, 0, 1)
    p = module.attribute_norm(module.attribute_projection(attribute))
    x_background, p_background, maps = x, p, []
    for _ in range(config.num_iterations):
        attention = naive_attention(module, x, p)
        x = cells * attention * x  # eq. 3
        x_background = cells * (1 - attention) / (cells - 1) * x_background
        gate, gate_background = naive_gate(module, x, p), naive_gate(module, x_background, p_background)
        p, p_background = gate * p, gate_background * p_background  # eq. 4
        weights = weights * attention
        maps.append(weights / weights.sum())
    if config.readout == "attribute":
        readouts = p, p_background
    else:
        readouts = gate * x.mean((1, 2)), gate_background * x_background.mean((1, 2))
    return naive_head(module, readouts[0]), naive_head(module, readouts[1]), maps


@pytest.mark.parametrize("num_iterations", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"readout": "attribute"},
        {"suppression": "exclude"},
        {"suppression": "none"},
        {"suppression_ratio": 0.3},
        {"use_spatial_attention": False},
        {"use_channel_attention": False},
        {"normalize_map": True},
    ],
    ids=str,
)
def test_eqs_1_to_6_equal_a_loop_over_images_and_attributes(fields, num_iterations):
    """Eqs. 1 to 6: all attributes and both streams at once give what the printed equations give one by one."""
    module = branch(num_iterations=num_iterations, **fields)
    image_map, attributes = inputs()
    embeds, background, maps = module(image_map, attributes)
    assert torch.isfinite(maps).all()
    for image in range(2):
        for attribute in range(3):
            expected = naive_positioning(module, image_map[image], attributes[image, attribute])
            torch.testing.assert_close(embeds[image, attribute], expected[0], **EXACT)
            shares = torch.stack(expected[2])  # NaN where rounds exclude every cell between them
            found = torch.where(shares.isnan(), torch.nan, maps[image, attribute])
            torch.testing.assert_close(found, shares, equal_nan=True, **EXACT)
            if background is not None:
                torch.testing.assert_close(background[image, attribute], expected[1], **EXACT)
    assert (background is None) == (not module.config.use_spatial_attention)


def test_the_loop_takes_gradients_too():
    module = branch(num_iterations=3)
    image_map, attributes = (tensor.requires_grad_() for tensor in inputs(1, 1))
    embeds, background, _ = module(image_map, attributes)
    (embeds * 0.3 + background * 0.7).sin().sum().backward()
    gradients = image_map.grad.clone(), attributes.grad.clone()
    image_map.grad = attributes.grad = None
    expected, expected_background, _ = naive_positioning(module, image_map[0], attributes[0, 0])
    (expected * 0.3 + expected_background * 0.7).sin().sum().backward()
    torch.testing.assert_close(gradients, (image_map.grad, attributes.grad), **EXACT)


# Eq. 1.


def test_eq_1_an_attribute_attends_where_the_map_is_like_it():
    """Eq. 1 by hand: with identities as projections, cells hold t and q, and A = sum_c tanh(t) tanh(q)."""
    module = branch(num_iterations=1, suppression="none", attention_dim=2, use_channel_attention=False)
    module.map_norm, module.attribute_norm = nn.Identity(), nn.Identity()
    attention = module.spatial_attention
    attention.image_projection.weight.data = torch.eye(2, CHANNELS).double()[..., None, None]
    attention.attribute_projection.weight.data = torch.eye(2, CHANNELS).double()
    attention.image_projection.bias.data.zero_()
    attention.attribute_projection.bias.data.zero_()
    module.attribute_projection.weight.data = torch.eye(CHANNELS, 6).double()
    module.attribute_projection.bias.data.zero_()
    image_map = torch.zeros(1, CHANNELS, 1, 2, dtype=torch.float64)
    image_map[0, 0, 0, 0], image_map[0, 1, 0, 1] = 2.0, 3.0
    attribute = torch.tensor([[[1.0, 0.5, 0, 0, 0, 0]]], dtype=torch.float64)
    _, _, maps = module(image_map, attribute)
    left = math.tanh(2) * math.tanh(1) / math.sqrt(2)
    right = math.tanh(3) * math.tanh(0.5) / math.sqrt(2)
    assert maps[0, 0, 0, 0, 0].item() == pytest.approx(1 / (1 + math.exp(right - left)), abs=1e-12)


# Eq. 2.


def test_eq_2_keeps_what_reaches_the_share_of_the_peak():
    """Eq. 2 by hand: zeta 0.95 of 2.0 is 1.9."""
    activations = [[2.0, 1.95, 1.9, 1.8, -3.0], [-1.0, -0.5, -2.0, -0.5, -4.0], [0.0] * 5]
    kept = suppression_mask(torch.tensor(activations, dtype=torch.float64), 0.95)
    assert kept.tolist() == [[True, True, True, False, False], [False] * 5, [True] * 5]


def test_eq_2_suppressed_cells_get_the_logit_0():
    """Eq. 2 by hand: of 4, 3.9 and -1 with c = 4 the logits are 2, 1.95 and 0."""
    attention = suppressed_attention(torch.tensor([4.0, 3.9, -1.0]), attention_dim=4)
    weights = [math.exp(2), math.exp(1.95), 1.0]
    assert attention.tolist() == pytest.approx([weight / sum(weights) for weight in weights], abs=1e-6)


def test_excluded_cells_get_no_attention():
    attention = suppressed_attention(torch.tensor([4.0, 3.9, -1.0]), attention_dim=4, suppression="exclude")
    assert attention[2] == 0 and attention.sum().item() == pytest.approx(1)
    assert (attention[0] / attention[1]).item() == pytest.approx(math.exp(0.05), abs=1e-5)


def test_nothing_is_excluded_where_all_would_be():
    activations = torch.tensor([-4.0, -5.0, -6.0])
    excluded = suppressed_attention(activations, attention_dim=4, suppression="exclude")
    torch.testing.assert_close(excluded, (activations / 2).softmax(-1))
    adaptive = suppressed_attention(activations, attention_dim=4, suppression="adaptive")
    torch.testing.assert_close(adaptive, torch.full((3,), 1 / 3))


@pytest.mark.parametrize(("name", "published"), [("published", True), ("paper_eq2", False)])
def test_eq_2_equals_the_fixture(shared_fixtures, name, published):
    """Eq. 2, and what the released code makes of it: products of all channels under the mask, and their gradient."""
    tensors = load_file(shared_fixtures / f"ipad_suppress_{name}.safetensors")
    product = tensors["act"].requires_grad_()
    kept = suppression_mask(product.sum(1).flatten(1), 0.95, published).unflatten(1, (5, 5))
    suppressed = product * kept.unsqueeze(1)
    torch.testing.assert_close(suppressed, tensors["out"], **EXACT)
    if "cot" in tensors:
        suppressed.backward(tensors["cot"])
        torch.testing.assert_close(product.grad, tensors["grad"], **EXACT)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("suppression", ["adaptive", "exclude", "none"])
@pytest.mark.parametrize(
    "activations",
    [[-4.0, -5.0, -6.0, -5.0], [2.0] * 4, [-2.0] * 4, [0.0] * 4, [3.0, 3.0, 1.0, -1.0], [1e4, 0.0, -1e4, 0.0]],
    ids=["all negative", "constant", "constant negative", "zero", "tie", "huge"],
)
def test_attention_and_its_gradient_are_finite(activations, suppression, published):
    activations = torch.tensor([activations], requires_grad=True)
    attention = suppressed_attention(activations, 4, suppression, 0.95, published)
    assert attention.sum().item() == pytest.approx(1)
    (attention * torch.arange(4.0)).sum().backward()
    assert torch.isfinite(activations.grad).all()


@pytest.mark.parametrize("suppression", ["adaptive", "exclude", "none"])
@pytest.mark.parametrize("what", ["constant map", "zero map", "negative activations", "one cell"])
def test_every_gradient_of_the_branch_is_finite(what, suppression):
    module = branch(suppression=suppression).float().train()
    image_map, attributes = (tensor.float() for tensor in inputs())
    if what == "one cell":
        image_map = image_map[..., :1, :1]
    elif what != "negative activations":
        image_map = torch.full_like(image_map, 3.0 if what == "constant map" else 0.0)
    else:  # keys alike everywhere and against the query
        attention = module.spatial_attention
        attention.image_projection.bias.data.fill_(5.0)
        attention.attribute_projection.bias.data.fill_(-5.0)
    embeds, background, maps = module(image_map.requires_grad_(), attributes.requires_grad_())
    (embeds.sin().sum() + background.cos().sum()).backward()
    torch.testing.assert_close(maps.sum((-1, -2)), torch.ones(2, 3, 3))
    tensors = [image_map, attributes, *module.parameters()]
    assert all(torch.isfinite(tensor.grad).all() for tensor in tensors)


# Eq. 3.


def test_eq_3_multiplies_the_map_by_its_attention():
    """Eq. 3: one round without gate and head pools sum_hw alpha x, and the background the rest of x."""
    module = branch(num_iterations=1, use_channel_attention=False)
    image_map, attributes = inputs()
    cells = module.map_norm(image_map.flatten(2).transpose(1, 2))
    readouts = []
    module.head.register_forward_pre_hook(lambda _, args: readouts.append(args[0]))
    _, _, maps = module(image_map, attributes)
    pooled = maps[:, :, 0].flatten(2) @ cells  # (B, K, C)
    torch.testing.assert_close(readouts[0][0], module.projection(pooled), **EXACT)
    background = (cells.sum(1, keepdim=True) - pooled) / (cells.shape[1] - 1)  # closed form of the spec
    torch.testing.assert_close(readouts[0][1], module.projection(background), **EXACT)


def test_eq_3_maps_show_where_all_rounds_so_far_look():
    """A round that looks everywhere leaves the map as sharp as it was; a cell that one round excludes stays out."""
    rounds = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.25, 0.25, 0.25, 0.25], [0.2, 0.4, 0.2, 0.2]])
    expected = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.5, 0.25, 0.25, 0.0], [0.4, 0.4, 0.2, 0.0]])
    torch.testing.assert_close(accumulated_attention(rounds), expected)
    apart = torch.eye(3).requires_grad_()  # no cell is left: what remains is finite, and a distribution
    shares = accumulated_attention(apart)
    shares.square().sum().backward()
    assert torch.isfinite(apart.grad).all()
    torch.testing.assert_close(shares.sum(-1), torch.ones(3))


def test_eq_3_a_uniform_round_leaves_the_map_as_it_is():
    """Eq. 3 with the factor N: where attention is uniform x^i = x^{i-1}, so a second round sees the same map."""
    module = branch(num_iterations=4, use_channel_attention=False)
    module.spatial_attention.attribute_projection.weight.data.zero_()
    module.spatial_attention.attribute_projection.bias.data.zero_()
    image_map, attributes = inputs()
    embeds, background, maps = module(image_map, attributes)
    torch.testing.assert_close(maps, torch.full_like(maps, 1 / 12), **EXACT)
    torch.testing.assert_close(embeds, background, **EXACT)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_ten_rounds_of_the_sharpest_attention_stay_finite(dtype):
    """Attention on one of 196 cells in each of ten rounds: 196 to the tenth is beyond what a variance can hold."""
    module = branch(num_iterations=10, attention_dim=400, use_channel_attention=False, normalize_map=True)
    module.map_norm.reset_parameters()
    attention = module.spatial_attention
    for layer in (attention.image_projection, attention.attribute_projection):
        layer.weight.data.zero_()
    attention.image_projection.weight.data[:, 0] = 9.0  # only channel 0 tells cells apart
    attention.image_projection.bias.data.zero_()
    attention.attribute_projection.bias.data.fill_(9.0)
    module = module.to(dtype)
    image_map = torch.randn(1, CHANNELS, 14, 14, generator=torch.Generator().manual_seed(0)).to(dtype)
    image_map[:, 0] = -9.0
    image_map[0, 0, 3, 5] = 9.0
    embeds, background, maps = module(image_map.requires_grad_(), torch.zeros(1, 2, 6, dtype=dtype))
    assert maps[..., 3, 5].amin() > 0.99
    assert embeds.dtype == dtype and maps.dtype == torch.float32
    (embeds.float().sin().sum() + background.float().cos().sum()).backward()
    assert embeds.float().std() > 0.1 and torch.isfinite(background).all()
    assert torch.isfinite(image_map.grad).all()


def test_half_precision_around_it_changes_nothing():
    """Under autocast the branch computes in the precision of its weights."""
    module, (image_map, attributes) = branch(num_iterations=3).float(), inputs()
    expected = module(image_map.float(), attributes.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(image_map.float(), attributes.float())
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


# Eq. 4.


def test_eq_4_the_gate_closes_channels_of_the_attribute():
    """Eq. 4 by hand: gates of 1/2 leave p^3 = p^0 / 8, the readout that is printed."""
    module = branch(num_iterations=3, readout="attribute")
    module.channel_gate.fc2.weight.data.zero_()
    module.channel_gate.fc2.bias.data.zero_()
    readouts = []
    module.projection.register_forward_pre_hook(lambda _, args: readouts.append(args[0]))
    image_map, attributes = inputs()
    module(image_map, attributes)
    expected = module.attribute_norm(module.attribute_projection(attributes)) / 8
    torch.testing.assert_close(readouts[0], torch.stack([expected, expected]), **EXACT)


def test_eq_4_gate_equals_the_fixture(shared_fixtures):
    """The gate of eq. 4, sigmoid(F2 ReLU(F1 [v; ReLU(W a)]))."""
    tensors = load_file(shared_fixtures / "ipad_channel_gate.safetensors")
    weights = {name[2:]: tensor for name, tensor in tensors.items() if name.startswith("w.")}
    gate = ChannelGate(16, 6).double()
    gate.load_state_dict({k.replace("attr_transform2", "attribute_projection"): t for k, t in weights.items()})
    found = gate(tensors["v"].unsqueeze(1), tensors["a"].unsqueeze(1))[:, 0]
    torch.testing.assert_close(found, tensors["gate"], **EXACT)


# Eqs. 5 and 6.


def test_eqs_5_and_6_one_head_for_foreground_and_background():
    """Eqs. 5 and 6 by hand: with an MLP of zeros the head is a layer norm, the same for both."""
    head = IpadEmbeddingHead(4, reduction=2, dropout=0.0, layer_norm_eps=0.0).double()
    head.fc2.weight.data.zero_()
    head.fc2.bias.data.zero_()
    embeds = torch.tensor([[[1.0, 2, 3, 6]], [[4.0, 0, 0, 0]]], dtype=torch.float64)
    expected = (embeds - embeds.mean(-1, keepdim=True)) / embeds.std(-1, correction=0, keepdim=True)
    torch.testing.assert_close(head(embeds), expected, **EXACT)
    head.fc2.bias.data = torch.tensor([0.0, 0, 0, 10.0], dtype=torch.float64)
    shifted = embeds + torch.tensor([0.0, 0, 0, 10.0], dtype=torch.float64)
    expected = (shifted - shifted.mean(-1, keepdim=True)) / shifted.std(-1, correction=0, keepdim=True)
    torch.testing.assert_close(head(embeds), expected, **EXACT)


# The published variant.


def test_published_rounds_restart_so_that_one_equals_three():
    image_map, attributes = inputs()
    one, three = (branch(variant="published", num_iterations=n) for n in (1, 3))
    torch.testing.assert_close(one(image_map, attributes), three(image_map, attributes), rtol=0, atol=0)


@pytest.mark.parametrize("kwargs", [RPF, {"variant": "published", "embedding_dim": 12}], ids=["rpf", "ipad"])
def test_published_background_is_projected_with_a_gate_only(kwargs):
    module = branch(**kwargs)
    seen = []
    module.projection.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
    module(*inputs())
    assert [tuple(shape) for shape in seen] == ([(2, 3, 12)] if kwargs is RPF else [(2, 2, 3, 12)])


def test_published_erases_the_peak():
    """The released code keeps A <= 0.95 max A, so that the strongest cell gets the logit 0."""
    attention = suppressed_attention(torch.tensor([4.0, 2.0, -2.0]), attention_dim=4, published=True)
    torch.testing.assert_close(attention, torch.tensor([0.0, 1.0, -1.0]).softmax(-1))


def test_rpf_needs_embeddings_as_wide_as_the_map():
    with pytest.raises(ValueError, match="embedding_dim"):
        branch(**(RPF | {"embedding_dim": 10}))
