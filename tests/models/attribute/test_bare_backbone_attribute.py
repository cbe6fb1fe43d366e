"""Models without a Backbone class: a map is the bare model's last hidden state of its stride, nothing is left over."""

import pytest
import torch
from torch import nn
from transformers import AutoModel, CLIPConfig, PreTrainedModel, ResNetConfig, set_seed

from hf_fashion.models.attribute.backbone_attribute import build_backbone, feature_map
from hf_fashion.models.attribute.bare_backbone_attribute import CONVOLUTIONAL, PATCH_TOKENS
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.tiny_attribute import IMAGE_SIZE, tiny_asen


PIXELS = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))


def whole_model(model_type: str) -> PreTrainedModel:
    """Return the transformers model; its batch norms have statistics and weights that change what passes them."""
    set_seed(0)
    model = AutoModel.from_config(tiny_bare_config(model_type)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            module.reset_parameters()  # a standard deviation of 0.02 leaves next to nothing of an image
    return model


def maps_by_stride(model: PreTrainedModel) -> dict[int, torch.Tensor]:
    """Return the last map of each stride, the naive way: everything that has the shape of a map, in order."""
    with torch.no_grad():
        outputs = model(PIXELS, output_hidden_states=True)
    return {IMAGE_SIZE // image_map.shape[2]: image_map for image_map in (*outputs.hidden_states, outputs[0])}


def filled(model: PreTrainedModel, **fields) -> PreTrainedModel:
    backbone = build_backbone(tiny_bare_config(model.config.model_type, **fields)).eval()
    backbone.load_state_dict({name: model.state_dict()[name] for name in backbone.state_dict()})
    return backbone


@pytest.mark.parametrize("model_type", CONVOLUTIONAL)
def test_the_map_of_a_cnn_is_its_last_hidden_state_of_the_stride(model_type):
    model = whole_model(model_type)
    expected = maps_by_stride(model)
    for stride in [8, 16 if model_type == "cvt" else 32]:
        backbone = filled(model, feature_stride=stride)
        found, _ = feature_map(backbone, PIXELS)
        torch.testing.assert_close(found, expected[stride], rtol=0, atol=1e-6)
        assert found.std() > 1e-4 and backbone.channels == [found.shape[1]]
        found.square().sum().backward()
        assert [name for name, weight in backbone.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("model_type", PATCH_TOKENS)
def test_the_map_of_a_vit_is_its_patch_tokens(model_type):
    model = whole_model(model_type)
    with torch.no_grad():
        tokens = model(PIXELS).last_hidden_state
    backbone = filled(model, feature_stride=16)
    found, _ = feature_map(backbone, PIXELS)
    assert found.shape == (2, 16, 4, 4) and backbone.channels == [16]
    for row in range(4):
        for column in range(4):
            place = tokens.shape[1] - 16 + 4 * row + column
            torch.testing.assert_close(found[:, :, row, column], tokens[:, place], rtol=0, atol=1e-6)
    found.square().sum().backward()
    assert [name for name, weight in backbone.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("model_type", ["efficientnet", "mobilenet_v2", "regnet"])
def test_a_cell_of_a_cnn_looks_at_its_place_in_the_image(model_type):
    """Regions are cropped where the map attends, so rows and columns of the map must be those of the image."""
    model = whole_model(model_type)
    for weight in model.parameters():
        weight.data.abs_()  # a cell then sees its field with a weight that falls off from the centre
    backbone = filled(model, feature_stride=16, hidden_act="relu")
    pixels = torch.ones(1, 3, 192, 192, requires_grad=True)
    cells = feature_map(backbone, pixels)[0][0].sum(0)
    assert cells.shape == (12, 12)
    for row, column in ((5, 6), (6, 4)):
        (gradient,) = torch.autograd.grad(cells[row, column], pixels, retain_graph=True)
        seen = gradient[0].sum(0)
        centre = [float(seen.sum(1 - axis) @ torch.arange(192.0) / seen.sum()) for axis in (0, 1)]
        assert abs(centre[0] - 16 * (row + 0.5)) < 10 and abs(centre[1] - 16 * (column + 0.5)) < 10, centre


@pytest.mark.parametrize("model_type", ["vit", "siglip_vision_model"])
def test_a_cell_of_a_vit_looks_at_its_patch(model_type):
    backbone = filled(whole_model(model_type))
    pixels = PIXELS[:1].clone().requires_grad_()
    cells = feature_map(backbone, pixels)[0][0].square().sum(0)
    for row, column in ((0, 1), (2, 3), (3, 0)):
        (gradient,) = torch.autograd.grad(cells[row, column], pixels, retain_graph=True)
        seen = nn.functional.avg_pool2d(gradient.abs().sum(1), 16)[0]
        assert divmod(int(seen.argmax()), 4) == (row, column)


@pytest.mark.parametrize("model_type", PATCH_TOKENS)
def test_a_vit_sees_images_of_another_size(model_type):
    backbone = build_backbone(tiny_bare_config(model_type)).eval()
    assert feature_map(backbone, torch.randn(2, 3, 32, 32))[0].shape == (2, 16, 2, 2)
    with pytest.raises(ValueError, match=r"40x40.*a '.*', 16x16.*`image_size`.*multiple of 16"):
        feature_map(backbone, torch.randn(2, 3, 40, 40))


def test_without_a_stride_the_map_is_the_last_one():
    assert build_backbone(tiny_bare_config("mobilenet_v2")).channels == [128]
    assert len(build_backbone(tiny_bare_config("mobilenet_v2")).layer) == 16
    assert len(build_backbone(tiny_bare_config("mobilenet_v2", feature_stride=16)).layer) == 12


def test_a_dilated_mobilenet_ends_with_the_stride_that_it_keeps():
    backbone = build_backbone(tiny_bare_config("mobilenet_v2", output_stride=16))
    assert feature_map(backbone, PIXELS)[0].shape == (2, 128, 4, 4)
    with pytest.raises(ValueError, match=r"`feature_stride` of 'mobilenet_v2' must be one of \[4, 8, 16\],.*got 32"):
        build_backbone(tiny_bare_config("mobilenet_v2", output_stride=16, feature_stride=32))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lambda: tiny_bare_config("regnet", feature_stride=64), r"one of \[4, 8, 16, 32\],.*got 64"),
        (lambda: tiny_bare_config("vit", feature_stride=8), r"one of \[16\],.*got 8"),
        (lambda: tiny_bare_config("mobilenet_v2", out_features=["stage3"]), "ask for its map by `feature_stride`"),
        (lambda: ResNetConfig(feature_stride=16), r"by `out_features`, one of \['stem', 'stage1'"),
        (CLIPConfig, "'clip' gives no feature map.*resnet.*efficientnet, .*mobilenet_v2.*vision model's"),
    ],
)
def test_what_cannot_work_is_refused_with_what_does(config, message):
    with pytest.raises(ValueError, match=message):
        build_backbone(config())


@pytest.mark.parametrize("model_type", ["mobilenet_v2", "vit"])
def test_a_model_with_two_such_backbones_travels(model_type, tmp_path):
    config = tiny_bare_config(model_type, feature_stride=16)
    model = tiny_asen(local=True, backbone_config=config, local_backbone_config=config)
    outputs = model(PIXELS)
    assert outputs.attention_maps.shape == (2, 3, 4, 4)
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert loaded.config.backbone_config.feature_stride == 16
    torch.testing.assert_close(loaded(PIXELS).attribute_embeds, outputs.attribute_embeds)
