"""torchvision's names of a ResNet to transformers'."""

import pytest
import torch
from transformers import ResNetBackbone, ResNetConfig

from hf_fashion.models.attribute.convert_resnet import convert_resnet_weights, infer_resnet_config


SIZES = {"embedding_size": 4, "hidden_sizes": [8, 16], "depths": [2, 1]}


def published_weights(layer_type: str) -> dict[str, torch.Tensor]:
    """Weights of a new ResNet under torchvision's names, written out rule by rule."""
    weights = {}
    for name, tensor in ResNetBackbone(ResNetConfig(layer_type=layer_type, **SIZES)).state_dict().items():
        *parts, kind, leaf = name.split(".")
        short = "conv" if kind == "convolution" else "bn"
        if parts[0] == "embedder":
            weights[f"{short}1.{leaf}"] = tensor
        else:
            _, _, stage, _, block, place, *number = parts
            place = f"{short}{int(number[0]) + 1}" if number else f"downsample.{int(short == 'bn')}"
            weights[f"layer{int(stage) + 1}.{block}.{place}.{leaf}"] = tensor
    return weights


@pytest.mark.parametrize("layer_type", ["basic", "bottleneck"])
def test_configuration_and_weights_make_the_backbone(layer_type):
    weights = published_weights(layer_type)
    assert "layer1.0.downsample.0.weight" in weights and "layer1.1.bn2.running_mean" in weights
    config = infer_resnet_config(weights)
    assert {name: getattr(config, name) for name in SIZES} == SIZES
    assert config.layer_type == layer_type and config.out_features == ["stage2"]
    backbone = ResNetBackbone(config)
    backbone.load_state_dict(convert_resnet_weights(weights))  # strict: every name has its place


@pytest.mark.parametrize("name", ["fc.weight", "layer1.0.relu.weight", "layer1.conv1.weight", "module.conv1.weight"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=f'"{name}" is no tensor of a ResNet'):
        convert_resnet_weights({name: torch.zeros(1)})
