"""Converted checkpoints: parity of both published branches, and a whole checkpoint made on the spot."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.convert_original_rpf import (
    convert_model,
    convert_patch_weights,
    convert_region_weights,
    convert_weights,
    infer_config,
    infer_patch_stride,
    main,
)
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.models.attribute.positioning_ipad import IpadPositioning
from hf_fashion.models.attribute.semantics_ipad import IpadSemantics


EXACT = {"rtol": 0, "atol": 1e-10}
NAMES = ["skirt_length", "sleeve_length"]


def fixture(folder, name: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Tensors of a parity fixture, and its weights under their published names."""
    tensors = load_file(folder / f"{name}.safetensors")
    return tensors, {key[2:]: tensor for key, tensor in tensors.items() if key.startswith("w.")}


def test_region_branch_equals_the_published_one_with_gradients(shared_fixtures):
    """RPF's eqs. 1, 3, 5 and 6: one round, no suppression, no channel gate."""
    tensors, weights = fixture(shared_fixtures, "rpf_region")
    config = IpadConfig(
        variant="published",
        suppression="none",
        use_channel_attention=False,
        attention_dim=8,
        attribute_dim=6,
        embedding_dim=16,
    )
    branch = IpadPositioning(config, channels=16).double().eval()
    branch.load_state_dict(convert_region_weights(weights))
    image_map, attributes = tensors["x"].requires_grad_(), tensors["a"].requires_grad_()
    embeds, background, maps = branch(image_map, attributes.unsqueeze(1))
    torch.testing.assert_close(embeds[:, 0], tensors["f"], **EXACT)
    torch.testing.assert_close(background[:, 0], tensors["f_background"], **EXACT)
    torch.testing.assert_close(maps[:, 0, 0], tensors["attention"], **EXACT)
    torch.testing.assert_close((1 - maps[:, 0, 0]) / 48, tensors["attention_background"], **EXACT)
    cotangents = tensors["cot_f"].unsqueeze(1), tensors["cot_f_background"].unsqueeze(1)
    torch.autograd.backward((embeds, background), cotangents)
    torch.testing.assert_close(image_map.grad, tensors["grad_x"], **EXACT)
    torch.testing.assert_close(attributes.grad, tensors["grad_a"], **EXACT)


def test_patch_branch_equals_the_published_one(shared_fixtures):
    """The ViT and eqs. 7 to 9."""
    tensors, weights = fixture(shared_fixtures, "patch_branch")
    vit = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 48}
    config = IpadConfig(
        variant="published", vit_config=vit | {"image_size": 16, "patch_size": 4}, attribute_dim=6, embedding_dim=16
    )
    branch = IpadSemantics(config).double().eval()
    branch.load_state_dict(convert_patch_weights(weights))
    attended = []
    branch.cross_attention.register_forward_hook(lambda module, inputs, output: attended.append(output))
    embeds = branch(tensors["image"], torch.arange(3), tensors["a"].unsqueeze(1))
    torch.testing.assert_close(embeds[:, 0], tensors["f"], **EXACT)
    torch.testing.assert_close(attended[0], tensors["cross_out"][:, 0], **EXACT)


class PublishedResNet(nn.Module):
    """Two bottleneck blocks a stage in torchvision's names, three stages, written down plainly."""

    def __init__(self, widths: list[int]):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(4)
        channels = 4
        for number, width in enumerate(widths, start=1):
            blocks = [PublishedBlock(channels, width, 1 if number == 1 else 2), PublishedBlock(width, width, 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            channels = width

    def forward(self, images):
        states = nn.functional.max_pool2d(self.bn1(self.conv1(images)).relu(), 3, stride=2, padding=1)
        return self.layer3(self.layer2(self.layer1(states)))


class PublishedBlock(nn.Module):
    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        middle = width // 4
        self.conv1, self.bn1 = nn.Conv2d(channels, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = nn.Conv2d(middle, width, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = None
        if channels != width:
            shortcut = nn.Conv2d(channels, width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, states):
        shortcut = states if self.downsample is None else self.downsample(states)
        states = self.bn2(self.conv2(self.bn1(self.conv1(states)).relu())).relu()
        return (self.bn3(self.conv3(states)) + shortcut).relu()


def published_checkpoint(
    with_gate: bool = False, with_patch: bool = True, with_spatial: bool = True, patches: int = 16
) -> dict[str, torch.Tensor]:
    """Random weights in the names of the releases; RPF's, or IPAD's with the gate. Map and embeddings of width 16."""
    torch.manual_seed(0)
    resnet = PublishedResNet([8, 12, 16])
    for module in resnet.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean)
    weights = {f"choices.global.basenet.{name}": tensor for name, tensor in resnet.state_dict().items()}
    weights["choices.global.attrnet.attr_embedding.weight"] = torch.randn(2, 6)
    region = {"attr_transform1": (8, 6), "conv": (8, 16, 1, 1), "feature_fc": (16, 16), "mlp.fc1": (8, 16)}
    region |= {"x_layer_norm": (16,), "a_layer_norm": (6,), "mlp_layer_norm": (16,), "mlp.fc2": (16, 8)}
    if with_gate:
        region |= {"attr_transform2": (6, 6), "fc1": (8, 22), "fc2": (16, 8), "fc_adapter": (1, 16)}
        weights |= {"vmlp.output_layers.0.bias": torch.randn(3), "vembed.value_embedding.0.weight": torch.randn(3, 24)}
    if not with_spatial:
        del region["attr_transform1"], region["conv"]
    weights |= random_layers("choices.global.attnnet.", region)
    return weights | (patch_weights(patches) if with_patch else {})


def patch_weights(patches: int) -> dict[str, torch.Tensor]:
    layers = {f"encoder.layer.{n}.{norm}": (24,) for n in range(2) for norm in ("attention_norm", "ffn_norm")}
    layers |= {f"encoder.layer.{n}.attn.{p}": (24, 24) for n in range(2) for p in ("query", "key", "value", "out")}
    layers |= {f"encoder.layer.{n}.ffn.fc1": (48, 24) for n in range(2)}
    layers |= {f"encoder.layer.{n}.ffn.fc2": (24, 48) for n in range(2)}
    layers |= {f"crossencoder.cross_attn.{p}": (24, 24) for p in ("query", "key", "value", "out")}
    layers |= {"crossencoder.cross_attention_norm": (24,), "crossencoder.fc": (16, 24), "crossencoder.ffn_norm": (16,)}
    layers |= {"crossencoder.ffn.fc1": (8, 16), "crossencoder.ffn.fc2": (16, 8), "norm": (16,), "attr2query": (24, 6)}
    layers |= {"embeddings.patch_embeddings": (24, 3, 4, 4)}
    free = {"type_embed": (1, 2, 24), "embeddings.cls_token": (1, 1, 24)}
    free |= {"embeddings.position_embeddings": (1, 1 + patches, 24)}
    prefix = "choices.local.basenet."
    return random_layers(prefix, layers) | {prefix + name: torch.randn(shape) for name, shape in free.items()}


def random_layers(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A weight of the given shape and a bias for each layer."""
    weights = {f"{prefix}{name}.weight": torch.randn(shape) * 0.3 for name, shape in shapes.items()}
    return weights | {f"{prefix}{name}.bias": torch.randn(shape[:1]) * 0.3 for name, shape in shapes.items()}


@pytest.mark.parametrize(("with_gate", "with_patch"), [(False, False), (False, True), (True, True)])
def test_a_whole_checkpoint_fills_every_weight(tmp_path, with_gate, with_patch):
    weights = published_checkpoint(with_gate, with_patch)
    model = convert_model(weights, NAMES, num_attention_heads=3, region_size=16)
    assert model.config.suppression == ("adaptive" if with_gate else "none")
    assert (model.semantics is not None) == with_patch
    resnet = PublishedResNet([8, 12, 16]).eval()
    prefix = "choices.global.basenet."
    resnet.load_state_dict({k.removeprefix(prefix): t for k, t in weights.items() if k.startswith(prefix)})
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.backbone(images).feature_maps[-1], resnet(images))
        outputs = model(images)
    assert outputs.attribute_embeds.shape == (2, 2, 32 if with_patch else 16)
    model.save_pretrained(tmp_path)
    again = IpadModel.from_pretrained(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(again(images).attribute_embeds, outputs.attribute_embeds)


def test_patches_that_overlap_are_embedded_at_their_distance(tmp_path):
    """Regions of 16 pixels, patches of 4, 3 pixels from one to the next: 5 x 5 of them, which are not 20 pixels."""
    weights = published_checkpoint(patches=25)
    model = convert_model(weights, NAMES, num_attention_heads=3, region_size=16)
    assert (model.config.vit_config.image_size, model.config.vit_patch_stride) == (16, 3)
    prefix, region = "choices.local.basenet.embeddings.", torch.randn(1, 3, 16, 16)
    kernel, bias = (weights[f"{prefix}patch_embeddings.{kind}"] for kind in ("weight", "bias"))
    patches = [region[0, :, y : y + 4, x : x + 4] for y in range(0, 13, 3) for x in range(0, 13, 3)]
    expected = torch.stack([(kernel * patch).sum((1, 2, 3)) + bias for patch in patches])
    expected = torch.cat([weights[f"{prefix}cls_token"][0], expected]) + weights[f"{prefix}position_embeddings"][0]
    with torch.no_grad():
        torch.testing.assert_close(model.semantics.vit.embeddings(region)[0], expected)
        outputs = model(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    model.save_pretrained(tmp_path)
    again = IpadModel.from_pretrained(tmp_path)
    assert torch.equal(
        again.semantics.vit.embeddings.position_embeddings[0], weights[f"{prefix}position_embeddings"][0]
    )
    with torch.no_grad():
        found = again(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(found.attribute_embeds, outputs.attribute_embeds)


@pytest.mark.parametrize(
    ("number", "patch_size", "region_size", "stride"),
    [(196, 16, 224, None), (18 * 18, 16, 224, 12), (25, 4, 16, 3), (25, 4, 20, None), (169, 4, 16, 1)],
)
def test_the_distance_of_patches(number, patch_size, region_size, stride):
    assert infer_patch_stride(number, patch_size, region_size) == stride


@pytest.mark.parametrize(("number", "named"), [(25, "no number of"), (24, "no number of"), (169, r"\[16, 17\]")])
def test_a_number_of_patches_that_says_no_distance_is_refused(number, named):
    with pytest.raises(ValueError, match=f"{number} patches of 17 pixels, .* at a distance of {named}"):
        infer_patch_stride(number, 17, 224)


def test_a_head_for_every_64_of_the_width_by_default():
    weights = published_checkpoint()
    weights["choices.local.basenet.embeddings.patch_embeddings.weight"] = torch.zeros(384, 3, 4, 4)
    assert infer_config(weights, NAMES, region_size=16).vit_config.num_attention_heads == 6


def test_a_region_branch_without_spatial_attention():
    weights = published_checkpoint(with_gate=True, with_patch=False, with_spatial=False)
    model = convert_model(weights, NAMES)
    assert (model.config.use_spatial_attention, model.config.use_channel_attention) == (False, True)
    with torch.no_grad():
        assert model(torch.randn(2, 3, 64, 64)).background_embeds is None


def test_fields_that_no_weight_tells_are_the_callers():
    values = {NAMES[0]: ["a"]}
    sizes = {"num_attention_heads": 3, "region_size": 16}
    config = infer_config(published_checkpoint(), NAMES, **sizes, beta=0.3, attribute_values=values)
    assert (config.beta, config.vit_config.num_attention_heads) == (0.3, 3)
    assert (config.vit_config.image_size, config.vit_config.intermediate_size) == (16, 48)
    assert config.vit_patch_stride is None and config.published_boxes
    assert config.attribute_values == {NAMES[0]: ["a"], NAMES[1]: []}


@pytest.mark.parametrize(
    "surprise",
    ["surprise", "choices.global.attnnet.surprise.weight", "choices.local.basenet.encoder.layer.0.surprise.bias"],
)
def test_an_unknown_tensor_is_named(surprise):
    with pytest.raises(ValueError, match="surprise"):
        convert_weights(published_checkpoint() | {surprise: torch.zeros(1)})


def test_as_many_names_as_attributes():
    with pytest.raises(ValueError, match="attribute_names"):
        convert_model(published_checkpoint(), ["skirt_length"])


def test_the_command_writes_model_and_image_processor(tmp_path, monkeypatch):
    save_file(published_checkpoint(with_patch=False), tmp_path / "checkpoint.safetensors")
    arguments = [str(tmp_path / "checkpoint.safetensors"), str(tmp_path / "out"), "--attribute_names", *NAMES]
    monkeypatch.setattr("sys.argv", ["convert_original_rpf", *arguments])
    main()
    assert IpadModel.from_pretrained(tmp_path / "out").config.beta == 0.3
    processor = AttributeImageProcessorPil.from_pretrained(tmp_path / "out")
    assert processor.do_source and processor.crop_size["height"] == 224
