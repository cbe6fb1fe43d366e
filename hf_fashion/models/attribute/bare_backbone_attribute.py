"""Backbones made of transformers models without a Backbone class: CNNs by hidden states, ViTs by patch tokens."""

import copy
from typing import NamedTuple

import torch
from torch import nn
from transformers import MODEL_FOR_BACKBONE_MAPPING, MODEL_MAPPING, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput


class Stages(NamedTuple):
    """Where a convolutional model has the layers that give its hidden states, one a layer.

    lists (`tuple[str, ...]`): lists of layers, which are cut behind the map's layer.
    behind (`tuple[str, ...]`): layers between the last hidden state and `last_hidden_state`.
    """

    lists: tuple[str, ...]
    behind: tuple[str, ...] = ()


# Model type -> its stages. The map is the last hidden state of the stride that is asked for.
CONVOLUTIONAL = {
    "cvt": Stages(("encoder.stages",)),
    "efficientnet": Stages(("encoder.blocks",), ("encoder.top_conv", "encoder.top_bn", "encoder.top_activation")),
    "mobilenet_v1": Stages(("layer",)),
    "mobilenet_v2": Stages(("layer",), ("conv_1x1",)),
    "mobilevit": Stages(("encoder.layer",), ("conv_1x1_exp",)),
    "mobilevitv2": Stages(("encoder.layer",)),
    "poolformer": Stages(("encoder.block", "encoder.patch_embeddings")),
    "regnet": Stages(("encoder.stages",)),
    "segformer": Stages(("stages",)),
    "swiftformer": Stages(("encoder.network",)),
}
# Model type -> the head that only its class token or its pooled embedding passes; it is removed. The map is the last
# hidden state without the tokens in front of the patches.
PATCH_TOKENS = {
    "chinese_clip_vision_model": "post_layernorm",
    "clip_vision_model": "post_layernorm",
    "data2vec-vision": "pooler",
    "deit": "pooler",
    "ijepa": "pooler",
    "siglip_vision_model": "head",
    "vit": "pooler",
    "vit_msn": "pooler",
}
# Side of the images that a model without weights sees to tell its strides.
_PROBE_SIZE = 256


def build_bare_backbone(config: PreTrainedConfig) -> PreTrainedModel:
    """Build a model with new weights that ends with the feature map of a stride, for models without a Backbone class.

    Args:
        config (`PreTrainedConfig`): configuration of a model of [`CONVOLUTIONAL`] or [`PATCH_TOKENS`]. Its
            `feature_stride` is the stride of the map in pixels; without it the map is that of the last layer.

    Returns:
        `PreTrainedModel`: the transformers model, whose weights keep their names; all of them take part in the map.
            `channels[-1]` is the number of channels of the map.

    Raises:
        ValueError: if the model gives no map, has none of this stride, or is asked for one by `out_features`.
    """
    _check(config)
    if not MODEL_MAPPING[type(config)]._supports_sdpa:
        # As in `build_backbone`: an implementation asked of the whole model reaches all of its parts.
        config._attn_implementation = "eager"
    strides, channels = _maps(config)
    stride = getattr(config, "feature_stride", None) or strides[-1]
    if stride not in strides:
        raise ValueError(
            f"`feature_stride` of {config.model_type!r} must be one of {list(dict.fromkeys(strides))}, the strides of "
            f"this configuration's maps; got {stride}."
        )
    backbone = AutoModel.from_config(config)
    last = len(strides) - 1 - strides[::-1].index(stride)
    _cut(backbone, last, is_last=last == len(strides) - 1)
    backbone.channels = channels[last : last + 1]
    return backbone


def _check(config: PreTrainedConfig) -> None:
    known = sorted(CONVOLUTIONAL | PATCH_TOKENS)
    if config.model_type not in known:
        raise ValueError(
            f"{config.model_type!r} gives no feature map that attribute models can use. Backbones are models with a "
            f"Backbone class in transformers ({', '.join(sorted(c.model_type for c in MODEL_FOR_BACKBONE_MAPPING))}) "
            f"and {', '.join(known)}. Of a model of images and texts take the vision model's configuration."
        )
    named = [
        name for name in ("out_features", "out_indices") if name in vars(config) and name not in vars(type(config))
    ]
    if named:
        raise ValueError(
            f"{config.model_type!r} has no stages that `{named[0]}` could name: ask for its map by `feature_stride`, "
            "such as `feature_stride=16`."
        )


def _maps(config: PreTrainedConfig) -> tuple[list[int], list[int]]:
    """Return the stride and the channels of the map behind each layer; the last map is `last_hidden_state`."""
    if config.model_type in PATCH_TOKENS:
        return [config.patch_size], [config.hidden_size]
    with torch.device("meta"):  # shapes only
        probe = AutoModel.from_config(copy.deepcopy(config)).eval()
        outputs = probe(torch.empty(1, 3, _PROBE_SIZE, _PROBE_SIZE), output_hidden_states=True, return_dict=True)
    number = len(probe.get_submodule(CONVOLUTIONAL[config.model_type].lists[0]))
    maps = [*outputs.hidden_states[-number:-1], outputs.last_hidden_state]  # a stem's map, in front, is left out
    return [round(_PROBE_SIZE / image_map.shape[2]) for image_map in maps], [image_map.shape[1] for image_map in maps]


def _cut(backbone: PreTrainedModel, last: int, is_last: bool) -> None:
    """Remove the layers that follow the map of a layer, and heads that no map passes."""
    model_type = backbone.config.model_type
    if model_type in PATCH_TOKENS:
        if getattr(backbone, PATCH_TOKENS[model_type], None) is not None:
            backbone.set_submodule(PATCH_TOKENS[model_type], nn.Identity())
        return
    if is_last:
        return
    stages = CONVOLUTIONAL[model_type]
    for name in stages.lists:
        del backbone.get_submodule(name)[last + 1 :]
    for name in stages.behind:
        backbone.set_submodule(name, nn.Identity())


def bare_inputs(backbone: PreTrainedModel, pixel_values: torch.Tensor) -> dict[str, bool]:
    """Return what a model without a Backbone class must be told about images of this size.

    Args:
        backbone (`PreTrainedModel`): from [`build_bare_backbone`].
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images.

    Raises:
        ValueError: if a ViT's patches do not fill the images: the map would not cover them.
    """
    if backbone.config.model_type not in PATCH_TOKENS:
        return {}
    size, patch_size = tuple(pixel_values.shape[2:]), backbone.config.patch_size
    if size[0] % patch_size or size[1] % patch_size:
        raise ValueError(
            f"Images of {size[0]}x{size[1]} pixels cannot be divided into the patches of a "
            f"{backbone.config.model_type!r}, {patch_size}x{patch_size}: set `image_size` (`local_image_size`) to a "
            f"multiple of {patch_size}."
        )
    trained = backbone.config.image_size
    trained = (trained, trained) if isinstance(trained, int) else tuple(trained)
    return {} if size == trained else {"interpolate_pos_encoding": True}


def bare_feature_map(backbone: PreTrainedModel, outputs: ModelOutput, pixel_values: torch.Tensor) -> torch.Tensor:
    """Return the feature map of a model without a Backbone class.

    Args:
        backbone (`PreTrainedModel`): from [`build_bare_backbone`].
        outputs (`ModelOutput`): its outputs.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): its images.

    Returns:
        `torch.Tensor` of shape `(B, C, h, w)`: the map.
    """
    if backbone.config.model_type not in PATCH_TOKENS:
        return outputs.last_hidden_state
    height, width = (edge // backbone.config.patch_size for edge in pixel_values.shape[2:])
    tokens = outputs.last_hidden_state[:, -height * width :]  # (B, h * w, C)
    return tokens.transpose(1, 2).unflatten(2, (height, width))


__all__ = ["CONVOLUTIONAL", "PATCH_TOKENS", "Stages", "bare_feature_map", "bare_inputs", "build_bare_backbone"]
