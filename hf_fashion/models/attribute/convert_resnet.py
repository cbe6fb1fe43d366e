"""Convert ResNets from torchvision's names, as in the checkpoints of ASEN, ASEN++ and RPF, to transformers' names."""

import re
from collections.abc import Mapping

import torch
from transformers import ResNetConfig


_PART = re.compile(
    r"(?:layer(?P<stage>\d)\.(?P<layer>\d+)\.)?"
    r"(?:(?P<kind>conv|bn)(?P<number>\d)|downsample\.(?P<shortcut>[01]))\.(?P<rest>\w+)"
)


def convert_resnet_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert torchvision's weights to those of transformers' `ResNetBackbone`.

    Args:
        weights (`dict[str, torch.Tensor]`): named `conv1.weight`, `layer1.0.bn2.bias`, `layer2.0.downsample.0.weight`.

    Returns:
        `dict[str, torch.Tensor]`: the same tensors in transformers' names.

    Raises:
        ValueError: if a name is none of a ResNet.
    """
    return {_new_name(name): tensor for name, tensor in weights.items()}


def _new_name(name: str) -> str:
    match = _PART.fullmatch(name)
    if match is None:
        raise ValueError(f'"{name}" is no tensor of a ResNet in torchvision\'s names.')
    stage, number = match["stage"], match["number"]
    is_convolution = match["kind"] == "conv" or match["shortcut"] == "0"
    leaf = f"{'convolution' if is_convolution else 'normalization'}.{match['rest']}"
    if stage is None:
        return f"embedder.embedder.{leaf}"
    part = f"layer.{int(number) - 1}" if number else "shortcut"
    return f"encoder.stages.{int(stage) - 1}.layers.{match['layer']}.{part}.{leaf}"


def infer_resnet_config(weights: Mapping[str, torch.Tensor]) -> ResNetConfig:
    """Infer the configuration from a ResNet's weights; its map is that of the last stage there is.

    Args:
        weights (`dict[str, torch.Tensor]`): in torchvision's names.
    """
    blocks = {(match["stage"], match["layer"]) for match in map(_PART.fullmatch, weights) if match and match["stage"]}
    stages = sorted({stage for stage, _ in blocks})
    last = "conv3" if "layer1.0.conv3.weight" in weights else "conv2"
    return ResNetConfig(
        embedding_size=len(weights["conv1.weight"]),
        hidden_sizes=[len(weights[f"layer{stage}.0.{last}.weight"]) for stage in stages],
        depths=[sum(block[0] == stage for block in blocks) for stage in stages],
        layer_type="bottleneck" if last == "conv3" else "basic",
        out_features=[f"stage{stages[-1]}"],
    )


__all__ = ["convert_resnet_weights", "infer_resnet_config"]
