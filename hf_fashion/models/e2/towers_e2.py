"""The vision models of transformers that E2 runs on next to CLIP's: one row a family."""

from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True)
class TowerFamily:
    """Where a vision model of a family keeps what E2 runs one by one.

    Args:
        layers (`str`): path of its layers, an `nn.ModuleList`.
        norm (`str`): path of the layer norm behind them.
        class_tokens (`int`): tokens in front of registers and patches, 0 where the model has patches only.
        pooling (`str`): what the image embedding is made of after the layer norm: `"class_token"`, `"patch_mean"`, or
            `"attention_head"` (the model's own `head` over its patches).
        interpolates (`bool`): whether its embeddings take `interpolate_pos_encoding`; those without take any size.
        rotary (`bool`): whether its layers are called with positions that `rope_embeddings` makes of the pixels.
    """

    layers: str
    norm: str
    class_tokens: int = 1
    pooling: str = "class_token"
    interpolates: bool = True
    rotary: bool = False


TOWER_FAMILIES = {
    "siglip_vision_model": TowerFamily("encoder.layers", "post_layernorm", 0, "attention_head"),
    "dinov2": TowerFamily("encoder.layer", "layernorm", interpolates=False),
    "dinov2_with_registers": TowerFamily("encoder.layer", "layernorm", interpolates=False),
    "dinov3_vit": TowerFamily("model.layer", "norm", interpolates=False, rotary=True),
    "vit": TowerFamily("layers", "layernorm"),
    "vit_msn": TowerFamily("layers", "layernorm"),
    "deit": TowerFamily("layers", "layernorm", class_tokens=2),
    "ijepa": TowerFamily("layers", "layernorm", 0, "patch_mean"),
}


def tower_family(config: PreTrainedConfig) -> TowerFamily:
    """Return the row of a vision model's family.

    Args:
        config (`PreTrainedConfig`): configuration of the vision model.

    Raises:
        ValueError: E2 does not run on that family; the error lists those that it does.
    """
    if config.model_type not in TOWER_FAMILIES:
        known = ", ".join(["clip_vision_model", *TOWER_FAMILIES])
        hint = ""
        if config.model_type.startswith("siglip2"):
            hint = " Of SigLIP 2, take a checkpoint of a fixed resolution: its model type is 'siglip'."
        raise ValueError(f"E2 does not run on vision models of type {config.model_type!r}, only on: {known}.{hint}")
    return TOWER_FAMILIES[config.model_type]


def num_prefix_tokens(config: PreTrainedConfig) -> int:
    """Return the number of tokens that a vision model has in front of its patches.

    Args:
        config (`PreTrainedConfig`): configuration of the vision model.
    """
    return tower_family(config).class_tokens + getattr(config, "num_register_tokens", 0)


def embed_patches(tower: PreTrainedModel, pixel_values: torch.Tensor, interpolate_pos_encoding: bool) -> torch.Tensor:
    """Return a vision model's tokens before its first layer, with their positions.

    Args:
        tower (`PreTrainedModel`): the vision model.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images.
        interpolate_pos_encoding (`bool`): take other sizes than the trained one.

    Returns:
        `torch.Tensor` of shape `(B, F + N, D)`: the F first tokens and N patches.
    """
    options = {}
    if tower_family(tower.config).interpolates:
        options["interpolate_pos_encoding"] = interpolate_pos_encoding
    return tower.embeddings(pixel_values.to(tower.dtype), **options)


def rotary_positions(tower: PreTrainedModel, pixel_values: torch.Tensor) -> dict[str, tuple[torch.Tensor, ...]]:
    """Return what the layers of a vision model are called with: rotary positions of the patches, where it has them.

    Args:
        tower (`PreTrainedModel`): the vision model.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images.
    """
    if not tower_family(tower.config).rotary:
        return {}
    return {"position_embeddings": tower.rope_embeddings(pixel_values.to(tower.dtype))}


def pool_tower(tower: PreTrainedModel, hidden_states: torch.Tensor, num_tokens: int) -> torch.Tensor:
    """Return a vision model's own image embedding of the tokens after its last layer.

    Args:
        tower (`PreTrainedModel`): the vision model.
        hidden_states (`torch.Tensor` of shape `(B, F + E * n [+ N], D)`): tokens after the last layer.
        num_tokens (`int`): E * n selection tokens, which follow the F first ones and take no part.

    Returns:
        `torch.Tensor` of shape `(B, D)`.
    """
    family, norm = tower_family(tower.config), tower.get_submodule(tower_family(tower.config).norm)
    if family.pooling == "class_token":
        return norm(hidden_states[:, 0])
    patches = norm(hidden_states[:, num_prefix_tokens(tower.config) + num_tokens :])  # (B, N, D)
    return tower.head(patches) if family.pooling == "attention_head" else patches.mean(1)


# Copied from hf_fashion.models.attribute.backbone_attribute.drop_mask_token
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


# Copied from hf_fashion.models.attribute.backbone_attribute.unsplit_modules
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


def drop_unused(model: PreTrainedModel) -> None:
    """Remove what E2 never calls of a tower, so that no process waits for its gradient.

    Args:
        model (`PreTrainedModel`): a vision model or a text model.
    """
    if isinstance(getattr(model, "pooler", None), nn.Module):
        model.pooler = None
    drop_mask_token(model)


__all__ = [
    "TOWER_FAMILIES",
    "TowerFamily",
    "drop_mask_token",
    "drop_unused",
    "embed_patches",
    "num_prefix_tokens",
    "pool_tower",
    "rotary_positions",
    "tower_family",
    "unsplit_modules",
]
