"""Backbones of transformers that give one feature map and compute nothing behind it."""

from os import PathLike

import torch
from torch import nn
from transformers import MODEL_FOR_BACKBONE_MAPPING, AutoBackbone, PreTrainedConfig, PreTrainedModel


def build_backbone(backbone_config: PreTrainedConfig) -> PreTrainedModel:
    """Build a backbone with new weights that ends with the stage whose map is asked for.

    transformers' backbones run all their stages whatever map is asked for; here the later ones are cut away, and with
    them their weights. In ResNet-50 up to its third stage that is 15 of 23.5 million parameters.

    Args:
        backbone_config (`PreTrainedConfig`): configuration of a backbone that `AutoBackbone` knows; the last of its
            `out_features` is the map to use.

    Returns:
        `PreTrainedModel`: the backbone; `backbone.channels[-1]` is the number of channels of its map.

    Raises:
        ValueError: if stages follow the map and no list of them is found to cut.
    """
    if not getattr(MODEL_FOR_BACKBONE_MAPPING.get(type(backbone_config), None), "has_attentions", True):
        # An implementation asked of the whole model reaches all of its parts, and one without attention refuses it.
        backbone_config._attn_implementation = "eager"
    backbone = AutoBackbone.from_config(backbone_config)
    number_of_stages = len(backbone.stage_names) - 1  # the first name is the stem's
    used = backbone.stage_names.index(backbone.out_features[-1])
    if used == number_of_stages:
        return backbone
    # modules() goes from the outside in: blocks within a stage, should they be as many, come later.
    lists = (m for m in backbone.modules() if isinstance(m, nn.ModuleList) and len(m) == number_of_stages)
    stages = next(lists, None)
    if stages is None:
        raise ValueError(
            f"Found no list of {number_of_stages} stages in {type(backbone).__name__} to cut behind "
            f"{backbone.out_features[-1]!r}; take the last map, out_features={backbone.stage_names[-1:]}."
        )
    del stages[used:]
    return backbone


def feature_map(backbone: PreTrainedModel, pixel_values: torch.Tensor, **kwargs) -> tuple[torch.Tensor, tuple | None]:
    """Return the feature map of a backbone from `build_backbone`.

    Args:
        backbone (`PreTrainedModel`): the backbone.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images.
        kwargs (`dict`, *optional*): what the backbone's forward takes, such as `output_hidden_states`.

    Returns:
        `tuple[torch.Tensor, tuple | None]`: the map (B, C, h, w), and the hidden states where they were asked for.
    """
    outputs = backbone(pixel_values.to(backbone.dtype), return_dict=True, **kwargs)
    return outputs.feature_maps[-1], outputs.hidden_states


def load_pretrained(module: PreTrainedModel, source: str | PathLike | PreTrainedModel) -> None:
    """Load weights of a pretrained model into a module, without the model's later stages and heads.

    Args:
        module (`PreTrainedModel`): what to fill, such as a backbone from `build_backbone`.
        source (`str`, `os.PathLike` or `PreTrainedModel`): Hub id or folder of a pretrained model, or the model.

    Raises:
        ValueError: if the source lacks weights of the module, or they have other shapes.
    """
    new_weights = []
    if not isinstance(source, PreTrainedModel):
        # Not by AutoBackbone, which takes a folder for the name of a timm model.
        source, info = type(module).from_pretrained(source, output_loading_info=True)
        new_weights = info["missing_keys"]
    wanted = module.state_dict()
    found = source.state_dict()
    if not wanted.keys() <= found.keys():  # a model with a head holds the bare one under a prefix
        found = source.base_model.state_dict()
    wrong = [
        name
        for name, tensor in wanted.items()
        if name not in found or name in new_weights or found[name].shape != tensor.shape
    ]
    if wrong:
        raise ValueError(
            f"{type(source).__name__} cannot fill {type(module).__name__}: missing or of another shape are "
            f"{wrong[:5]} ({len(wrong)} of {len(wanted)} tensors). Take the configuration from the same checkpoint."
        )
    module.load_state_dict({name: found[name] for name in wanted})


__all__ = ["build_backbone", "feature_map", "load_pretrained"]
