"""Backbones of transformers that give one feature map and compute nothing behind it."""

import logging
from os import PathLike

import torch
from torch import nn
from transformers import MODEL_FOR_BACKBONE_MAPPING, AutoBackbone, PreTrainedConfig, PreTrainedModel

from .bare_backbone_attribute import bare_feature_map, bare_inputs, build_bare_backbone


logger = logging.getLogger(__name__)

# Fields of a backbone that may differ from its checkpoint's, next to those of dropout, lists and those of any model:
# what is cut away, and what only a start from random weights reads.
_FREE_FIELDS = {"num_hidden_layers", "image_size", "initializer_range", "initializer_factor", "feature_stride"}
# Layer norms that the Backbone classes of ConvNeXt, Swin and others have for each map; other models do not have them.
_MAP_NORMS = "hidden_states_norms."


def build_backbone(backbone_config: PreTrainedConfig) -> PreTrainedModel:
    """Build a backbone with new weights that ends with the stage whose map is asked for.

    transformers' backbones run all their stages whatever map is asked for; here the later ones are cut away, and with
    them their weights. In ResNet-50 up to its third stage that is 15 of 23.5 million parameters.

    Args:
        backbone_config (`PreTrainedConfig`): configuration of a backbone that `AutoBackbone` knows, the last of whose
            `out_features` is the map to use, or of a model of [`build_bare_backbone`].

    Returns:
        `PreTrainedModel`: the backbone; `backbone.channels[-1]` is the number of channels of its map.

    Raises:
        ValueError: if stages follow the map and no list of them is found to cut, or the map is named in a way that
            this backbone does not know.
    """
    if type(backbone_config) not in MODEL_FOR_BACKBONE_MAPPING:
        backbone = build_bare_backbone(backbone_config)
        drop_mask_token(backbone)
        return backbone
    if hasattr(backbone_config, "feature_stride"):
        raise ValueError(
            f"`feature_stride` is for models without a Backbone class; name the map of "
            f"{backbone_config.model_type!r} by `out_features`, one of {backbone_config.stage_names}."
        )
    if not getattr(MODEL_FOR_BACKBONE_MAPPING.get(type(backbone_config), None), "has_attentions", True):
        # An implementation asked of the whole model reaches all of its parts, and one without attention refuses it.
        backbone_config._attn_implementation = "eager"
    backbone = AutoBackbone.from_config(backbone_config)
    drop_mask_token(backbone)
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


def drop_mask_token(model: PreTrainedModel) -> None:
    """Make the mask token of a ViT or DINOv2 a buffer that is not saved: without a gradient, which DDP would wait for.

    Frozen it would not stay, since `from_pretrained` makes every parameter trainable; and transformers cannot
    initialise a DINOv2 with registers that has none.

    Args:
        model (`PreTrainedModel`): the model, which is changed; one without a mask token stays as it is.
    """
    embeddings = getattr(model, "embeddings", None)
    if isinstance(getattr(embeddings, "mask_token", None), nn.Parameter):
        mask_token = embeddings.mask_token.detach()
        del embeddings.mask_token
        embeddings.register_buffer("mask_token", mask_token, persistent=False)


def unsplit_modules(model: PreTrainedModel) -> set[str]:
    """Return the classes whose modules stay on one device: those that a model and the models in it name, and have.

    transformers asks the direct children only, and FSDP refuses the name of a class that is not there.

    Args:
        model (`PreTrainedModel`): the model.

    Returns:
        `set[str]`: names of classes, for `_no_split_modules`.
    """
    named = [getattr(module, "_no_split_modules", None) or () for module in model.modules()]
    return set().union(*named) & {type(module).__name__ for module in model.modules()}


def feature_map(backbone: PreTrainedModel, pixel_values: torch.Tensor, **kwargs) -> tuple[torch.Tensor, tuple | None]:
    """Return the feature map of a backbone from `build_backbone`.

    Args:
        backbone (`PreTrainedModel`): the backbone.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images.
        kwargs (`dict`, *optional*): what the backbone's forward takes, such as `output_hidden_states`.

    Returns:
        `tuple[torch.Tensor, tuple | None]`: the map (B, C, h, w), and the hidden states where they were asked for.
    """
    pixel_values = pixel_values.to(backbone.dtype)
    outputs = backbone(pixel_values, return_dict=True, **bare_inputs(backbone, pixel_values), **kwargs)
    if "feature_maps" in outputs:
        return outputs.feature_maps[-1], outputs.hidden_states
    return bare_feature_map(backbone, outputs, pixel_values), outputs.hidden_states


def load_pretrained(module: PreTrainedModel, source: str | PathLike | PreTrainedModel) -> PreTrainedModel:
    """Load weights of a pretrained model into a module, without the model's later stages and heads.

    A warning names fields of the configurations that differ and change what the weights compute, and layer norms of
    feature maps (of ConvNeXt and Swin) that a pretrained model does not have, which start from 1 and 0.

    Args:
        module (`PreTrainedModel`): what to fill, such as a backbone from `build_backbone`.
        source (`str`, `os.PathLike` or `PreTrainedModel`): Hub id or folder of a pretrained model, or the model.

    Returns:
        `PreTrainedModel`: the pretrained model, with its later stages.

    Raises:
        ValueError: if the source is of another model type, lacks weights of the module, or they have other shapes.
    """
    wanted = module.state_dict()
    source, found = _loaded(module, source)
    new = [name for name in wanted if name.startswith(_MAP_NORMS) and name not in found]
    taken = {name: tensor for name, tensor in wanted.items() if name not in new}
    wrong = [name for name, tensor in taken.items() if name not in found or found[name].shape != tensor.shape]
    if wrong:
        raise ValueError(
            f"{type(source).__name__} cannot fill {type(module).__name__}: missing or of another shape are "
            f"{wrong[:5]} ({len(wrong)} of {len(wanted)} tensors). Take the configuration from the same checkpoint."
        )
    if new:
        logger.warning("%s has no %s: these layer norms start from 1 and 0.", type(source).__name__, ", ".join(new))
    module.load_state_dict({name: found[name] for name in taken}, strict=False)
    _warn_of_other_fields(module.config, source.config)
    return source


def _loaded(
    module: PreTrainedModel, source: str | PathLike | PreTrainedModel
) -> tuple[PreTrainedModel, dict[str, torch.Tensor]]:
    """Return a pretrained model, and its weights by the names that they have in a module of its type."""
    if isinstance(source, PreTrainedModel):
        found, bare = source.state_dict(), source.base_model.state_dict()
        if module.state_dict().keys() <= found.keys():
            return source, found
        # A model with a head holds the bare one under a prefix, and so does the Backbone class of Swin.
        return source, found | {f"{source.base_model_prefix}.{name}": bare[name] for name in bare} | bare
    _check_model_type(module, source)
    outputs = {"out_features": module.out_features} if hasattr(module, "out_features") else {}
    # Not by AutoBackbone, which takes a folder for the name of a timm model.
    source, info = type(module).from_pretrained(source, use_safetensors=True, output_loading_info=True, **outputs)
    return source, {name: tensor for name, tensor in source.state_dict().items() if name not in info["missing_keys"]}


def _check_model_type(module: PreTrainedModel, source: str | PathLike) -> None:
    stored, _ = PreTrainedConfig.get_config_dict(source)
    parts = [stored, *(part for part in stored.values() if isinstance(part, dict))]  # a CLIP holds its vision model
    if module.config.model_type not in [part.get("model_type") for part in parts]:
        raise ValueError(
            f"The model in {str(source)!r} is a {stored.get('model_type')!r}, but the configuration's backbone is a "
            f"{module.config.model_type!r}. Give `backbone_config` (`local_backbone_config`, `vit_config`) the "
            "configuration of the checkpoint."
        )


def _warn_of_other_fields(config: PreTrainedConfig, source: PreTrainedConfig) -> None:
    ours, theirs = config.to_dict(), source.to_dict()
    free = _FREE_FIELDS | PreTrainedConfig().to_dict().keys()
    differing = [
        f"{name}={value} (there {theirs[name]})"
        for name, value in ours.items()
        if name in theirs.keys() - free and "drop" not in name
        if not isinstance(value, list | tuple | dict) and value != theirs[name]
    ]
    if differing:
        logger.warning(
            "The weights of this %s were trained with another configuration, and may compute something else with "
            "%s. Take these fields from the checkpoint unless you mean to change them.",
            config.model_type,
            ", ".join(differing),
        )


__all__ = ["build_backbone", "drop_mask_token", "feature_map", "load_pretrained", "unsplit_modules"]
