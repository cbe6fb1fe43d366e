"""Converted checkpoints of ASEN and ASEN++: parity of every published head, and whole checkpoints made on the spot."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.convert_original_asen import (
    convert_head_weights,
    convert_model,
    convert_weights,
    head_variant,
    infer_config,
    main,
)
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenHead, AsenModel


EXACT = {"rtol": 1e-10, "atol": 1e-10}
NAMES = ["skirt_length", "sleeve_length", "neck_design"]
BRANCHES = {"global_branch": "choices.global.", "local_branch": "choices.local."}


def published(folder, name: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Tensors of a parity fixture, and its weights under their published names."""
    tensors = load_file(folder / f"{name}.safetensors")
    return tensors, {key[2:]: tensor for key, tensor in tensors.items() if key.startswith("w.")}


def build_head(weights: dict[str, torch.Tensor], channels: int, attention_dim: int, **sizes):
    """(head in float64 with converted weights, attribute table or None)."""
    converted, table = convert_head_weights(weights)
    head = AsenHead(channels, attention_dim, AsenConfig(attention_variant=head_variant(weights), **sizes)).double()
    missing, unexpected = head.load_state_dict(converted, strict=False)
    assert unexpected == [] and set(missing) <= {"spatial_attention.image_norm.num_batches_tracked"}
    return head.eval(), table


def test_head_of_asenpp_equals_the_published_one(shared_fixtures):
    tensors, weights = published(shared_fixtures, "asenpp_head")
    head, table = build_head(weights, 16, 8, attribute_dim=6, embedding_dim=10)
    with torch.no_grad():
        embeds, attention = head(tensors["x"], tensors["a"].unsqueeze(1))
    assert table is None
    torch.testing.assert_close(embeds[:, 0], tensors["f"], **EXACT)
    torch.testing.assert_close(attention[:, 0], tensors["attention"], **EXACT)


def test_head_and_table_of_asenpp_under_the_names_of_the_release(shared_fixtures):
    tensors = load_file(shared_fixtures / "asenpp_attention.safetensors")
    weights = {n.removeprefix("attnnet."): t for n, t in tensors.items() if n.startswith("attnnet.")}
    table = {"attr_embedding.weight": tensors["attrnet.attr_embedding.weight"]}
    head, table = build_head(weights | table, 96, 48, attribute_dim=32, embedding_dim=40)
    exact = tensors["input.feature_map"].double(), table.double()[tensors["input.attribute"]].unsqueeze(1)
    with torch.no_grad():
        embeds, attention = head(*exact)
    torch.testing.assert_close(embeds[:, 0].to(tensors["output.embedding"].dtype), tensors["output.embedding"])
    torch.testing.assert_close(attention[:, 0].to(tensors["output.attention"].dtype), tensors["output.attention"])


@pytest.mark.parametrize(
    ("name", "attention_dim", "sizes"),
    [
        ("asen_v1", 8, {"attribute_dim": 16, "embedding_dim": 16}),
        ("asen_v2", 512, {"attribute_dim": 6, "embedding_dim": None}),
    ],
)
def test_heads_of_asen_equal_the_published_ones(shared_fixtures, name, attention_dim, sizes):
    tensors, weights = published(shared_fixtures, name)
    head, table = build_head(weights, 16, attention_dim, **sizes)
    with torch.no_grad():
        attributes = table[tensors["c"]].unsqueeze(1)
        attention, pooled = head.spatial_attention(tensors["x"], attributes)
        gate = head.channel_gate(pooled, attributes)
        embeds, _ = head(tensors["x"], attributes)
    torch.testing.assert_close(attention, tensors["attention"], **EXACT)
    torch.testing.assert_close(pooled[:, 0], tensors["pooled"], **EXACT)
    torch.testing.assert_close(gate[:, 0], tensors["gate"], **EXACT)
    torch.testing.assert_close(nn.functional.normalize(embeds[:, 0], dim=-1), tensors["embedding"], **EXACT)
    if "embedding_unnormalised" in tensors:
        torch.testing.assert_close(embeds[:, 0], tensors["embedding_unnormalised"], **EXACT)


class PublishedBasicBlock(nn.Module):
    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.downsample = nn.Identity()
        if channels != width or stride != 1:
            shortcut = nn.Conv2d(channels, width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, states):
        return (self.bn2(self.conv2(self.bn1(self.conv1(states)).relu())) + self.downsample(states)).relu()


class PublishedResNet(nn.Module):
    """ResNet-34's kind of blocks in torchvision's names, four stages and a classifier, of which three are used."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        channels = widths[0]
        self.conv1, self.bn1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(channels)
        for number, width in enumerate(widths, start=1):
            blocks = [PublishedBasicBlock(channels, width, 1 if number == 1 else 2)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks, PublishedBasicBlock(width, width, 1)))
            channels = width
        self.fc = nn.Linear(channels, 5)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.normal_(module.running_mean)

    def forward(self, images):
        states = nn.functional.max_pool2d(self.bn1(self.conv1(images)).relu(), 3, stride=2, padding=1)
        return self.layer3(self.layer2(self.layer1(states)))


def random_layers(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    weights = {f"{prefix}{name}.weight": torch.randn(shape) * 0.3 for name, shape in shapes.items()}
    return weights | {f"{prefix}{name}.bias": torch.randn(shape[:1]) * 0.3 for name, shape in shapes.items()}


def resnet_weights(prefix: str, widths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in PublishedResNet(widths).state_dict().items()}


def checkpoint_plus() -> dict[str, torch.Tensor]:
    """Both branches of an ASEN++ of random weights, maps of 8 and 6 channels."""
    torch.manual_seed(0)
    weights = {"choices.global.attrnet.attr_embedding.weight": torch.randn(3, 5)}
    for branch, channels, attention in (("global", 8, 7), ("local", 6, 4)):
        weights |= resnet_weights(f"choices.{branch}.basenet.", (4, 6, channels, 10))
        head = {"attr_transform1": (attention, 5), "conv": (attention, channels, 1, 1), "attr_transform2": (5, 5)}
        head |= {"fc1": (channels // 2, channels + 5), "fc2": (channels, channels // 2), "feature_fc": (9, channels)}
        weights |= random_layers(f"choices.{branch}.attnnet.", head)
    return weights


def checkpoint_v1() -> dict[str, torch.Tensor]:
    """The first release: head and backbone in one module."""
    torch.manual_seed(0)
    head = {"fc1": (4, 16), "fc2": (8, 4), "feature_fc": (8, 8), "conv1": (5, 8, 1, 1), "conv2": (1, 5, 1, 1)}
    masks = {"mask_fc1.weight": torch.randn(5, 3), "mask_fc2.weight": torch.randn(8, 3)}
    return random_layers("", head) | masks | resnet_weights("backbonenet.", (4, 6, 8, 10))


def checkpoint_v2() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    head = {"attr_transform1": (5, 6), "attr_transform2": (6, 6), "fc1": (4, 14), "fc2": (8, 4), "conv1": (5, 8, 1, 1)}
    norm = {"running_mean": torch.randn(5), "running_var": torch.rand(5) + 0.5}
    weights = random_layers("", head | {"img_bn1": (5,)}) | {"attr_embedding.weight": torch.randn(3, 6)}
    weights |= {f"img_bn1.{name}": tensor for name, tensor in norm.items()}
    return weights | resnet_weights("backbonenet.", (4, 6, 8, 10))


def used_resnet(weights: dict[str, torch.Tensor], prefix: str, widths: tuple[int, ...]) -> PublishedResNet:
    resnet = PublishedResNet(widths).eval()
    resnet.load_state_dict({n.removeprefix(prefix): t for n, t in weights.items() if n.startswith(prefix)})
    return resnet


def test_a_whole_asenpp_fills_every_weight(tmp_path):
    weights = checkpoint_plus()
    model = convert_model(weights, NAMES, **BRANCHES)
    config = model.config
    assert (config.attention_dim, config.local_attention_dim, config.attribute_dim, config.embedding_dim) == (
        7,
        4,
        5,
        9,
    )
    assert config.attention_variant == "plus" and config.reduction == 2 and config.published_boxes
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for name, branch, channels in (("global", model.global_branch, 8), ("local", model.local_branch, 6)):
            resnet = used_resnet(weights, f"choices.{name}.basenet.", (4, 6, channels, 10))
            torch.testing.assert_close(branch.backbone(images).feature_maps[-1], resnet(images))
        outputs = model(images)
    assert outputs.attribute_embeds.shape == (2, 3, 18)
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        again = AsenModel.from_pretrained(tmp_path)(images)
    torch.testing.assert_close(again.attribute_embeds, outputs.attribute_embeds)


@pytest.mark.parametrize(("checkpoint", "variant"), [(checkpoint_v1, "v1"), (checkpoint_v2, "v2")])
def test_a_whole_asen_fills_every_weight(checkpoint, variant):
    weights = checkpoint()
    model = convert_model(weights, NAMES)
    assert model.config.attention_variant == variant and model.local_branch is None
    assert (model.config.embedding_dim is None) == (variant == "v2")
    images = torch.randn(2, 3, 64, 64)
    head = {n: t for n, t in weights.items() if not n.startswith("backbonenet.")}
    table = head.get("attr_embedding.weight", model.attribute_embedding.weight)
    converted, _ = convert_head_weights({n: t for n, t in head.items() if n != "attr_embedding.weight"})
    alone = AsenHead(8, 5, model.config).eval()
    alone.load_state_dict(converted, strict=False)
    with torch.no_grad():
        image_map = used_resnet(weights, "backbonenet.", (4, 6, 8, 10))(images)
        expected, _ = alone(image_map, table.expand(2, -1, -1))
        torch.testing.assert_close(model(images).global_embeds, expected)


def test_the_table_of_the_first_release_is_made_of_unit_vectors():
    converted = convert_weights(checkpoint_v1())
    table, gate = converted["attribute_embedding.weight"], "global_branch.head.channel_gate.attribute_projection"
    assert torch.equal(table, torch.eye(3, 8))
    torch.testing.assert_close(converted[f"{gate}.weight"] @ table.T, checkpoint_v1()["mask_fc2.weight"])


def test_fields_that_no_weight_tells_are_the_callers():
    config = infer_config(checkpoint_plus(), NAMES, **BRANCHES, global_weight=0.4, attribute_values={NAMES[0]: ["a"]})
    assert config.global_weight == 0.4 and config.attribute_values[NAMES[0]] == ["a"]


@pytest.mark.parametrize(
    ("surprise", "named"),
    [
        ("surprise", "surprise"),
        ("choices.global.attnnet.surprise.weight", "surprise"),
        ("choices.local.basenet.layer1.0.surprise.weight", "surprise"),
        ("choices.global.attnnet2.fc2.weight", "fc2"),
    ],
)
def test_an_unknown_tensor_is_named(surprise, named):
    with pytest.raises(ValueError, match=named):
        convert_weights(checkpoint_plus() | {surprise: torch.zeros(1)}, **BRANCHES)


def test_branches_must_be_named():
    with pytest.raises(ValueError, match="global_branch"):
        convert_weights(checkpoint_plus())


def test_branches_share_one_table():
    other = {"choices.local.attrnet.attr_embedding.weight": torch.zeros(3, 5)}
    with pytest.raises(ValueError, match="attr_embedding"):
        convert_weights(checkpoint_plus() | other, **BRANCHES)
    with pytest.raises(ValueError, match="attr_embedding"):
        weights = checkpoint_plus()
        del weights["choices.global.attrnet.attr_embedding.weight"]
        convert_weights(weights, **BRANCHES)


def test_as_many_names_as_attributes():
    with pytest.raises(ValueError, match="attribute_names"):
        convert_model(checkpoint_v2(), NAMES[:2])


def test_the_command_writes_model_and_image_processor(tmp_path, monkeypatch):
    save_file(checkpoint_plus(), tmp_path / "checkpoint.safetensors")
    arguments = [str(tmp_path / "checkpoint.safetensors"), str(tmp_path / "out"), "--attribute_names", *NAMES]
    branches = ["--global_branch", "choices.global.", "--local_branch", "choices.local."]
    monkeypatch.setattr("sys.argv", ["convert_original_asen", *arguments, *branches])
    main()
    assert AsenModel.from_pretrained(tmp_path / "out").config.attribute_names == NAMES
    processor = AttributeImageProcessorPil.from_pretrained(tmp_path / "out")
    assert processor.crop_size["height"] == 224 and processor.do_source, "regions are cut from the photo"


def test_a_model_without_local_branch_needs_no_photo(tmp_path, monkeypatch):
    save_file(checkpoint_v2(), tmp_path / "checkpoint.safetensors")
    arguments = [str(tmp_path / "checkpoint.safetensors"), str(tmp_path / "out"), "--attribute_names", *NAMES]
    monkeypatch.setattr("sys.argv", ["convert_original_asen", *arguments])
    main()
    assert not AttributeImageProcessorPil.from_pretrained(tmp_path / "out").do_source


SPATIAL, CHANNEL = (
    ("attr_transform1", "conv", "conv1", "conv2", "img_bn1", "mask_fc1"),
    ("attr_transform2", "fc1", "fc2"),
)


def without(weights: dict[str, torch.Tensor], parts: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """A checkpoint whose heads lack layers of these names; those of the backbones stay."""
    in_head = {n for n in weights if "basenet" not in n and "backbonenet" not in n}
    return {n: t for n, t in weights.items() if n not in in_head or n.split(".")[-2] not in parts}


@pytest.mark.parametrize(
    ("checkpoint", "branches"), [(checkpoint_plus, BRANCHES), (checkpoint_v1, {}), (checkpoint_v2, {})]
)
def test_heads_without_channel_attention(checkpoint, branches):
    model = convert_model(without(checkpoint(), (*CHANNEL, "mask_fc2")), NAMES, **branches)
    assert (model.config.use_spatial_attention, model.config.use_channel_attention) == (True, False)
    head, images = model.global_branch.head, torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        image_map = model.image_backbone(images).feature_maps[-1]
        _, pooled = head.spatial_attention(image_map, model.attribute_embedding.weight.expand(2, -1, -1))
        torch.testing.assert_close(model(images).global_embeds, head.projection(pooled))


@pytest.mark.parametrize(
    ("checkpoint", "branches"), [(checkpoint_plus, BRANCHES), (checkpoint_v1, {}), (checkpoint_v2, {})]
)
def test_heads_without_spatial_attention_take_the_mean_of_the_map(checkpoint, branches):
    model = convert_model(without(checkpoint(), SPATIAL), NAMES, **branches)
    assert (model.config.use_spatial_attention, model.config.use_channel_attention) == (False, True)
    head, images = model.global_branch.head, torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        pooled = model.image_backbone(images).feature_maps[-1].mean((2, 3))[:, None].expand(-1, 3, -1)
        gate = head.channel_gate(pooled, model.attribute_embedding.weight.expand(2, -1, -1))
        outputs = model(images)
    torch.testing.assert_close(outputs.global_embeds, head.projection(pooled * gate))
    if model.local_branch is not None:
        assert (outputs.boxes == torch.tensor([0, 0, 64, 64])).all(), "a map without a peak means the whole photo"


def test_branches_of_different_parts_are_refused():
    weights = {n: t for n, t in checkpoint_plus().items() if not n.startswith("choices.local.attnnet.fc2")}
    with pytest.raises(
        ValueError, match="one `use_channel_attention`; the global one has True and the local one False"
    ):
        infer_config(weights, NAMES, **BRANCHES)
