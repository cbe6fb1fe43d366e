"""Pretrained backbones of the attribute models: a CNN, DINOv2, and DINOv2's weights as a ViT."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_BACKBONE_MAPPING,
    Dinov2Model,
    PreTrainedConfig,
    PreTrainedModel,
    ViTConfig,
    ViTModel,
)

from benchmarks.gpu_batch.packed import Packed
from hf_fashion.models.attribute.backbone_attribute import build_backbone


@dataclass(frozen=True)
class Starts:
    """What the branches of attribute models start from.

    Args:
        whole (`PreTrainedModel`): sees the whole photo.
        whole_config (`PreTrainedConfig`): its configuration as a backbone.
        embedding_dim (`int`): of each branch: as many as its map has channels, which RPF needs.
        region (`ViTModel`): sees the region in RPF and IPAD; ASEN++'s is of the kind that sees the whole photo.
    """

    whole: PreTrainedModel
    whole_config: PreTrainedConfig
    embedding_dim: int
    region: ViTModel

    @classmethod
    def of(cls, packed: Packed, backbone: str) -> "Starts":
        """Load both.

        Args:
            packed (`Packed`): holds the folders `cnn` and `vision`, which is a DINOv2.
            backbone (`str`): the folder of what sees the whole photo.
        """
        whole = packed.model(backbone)
        config = copy.deepcopy(whole.config)
        if type(config) not in MODEL_FOR_BACKBONE_MAPPING:
            config.feature_stride = packed.settings.feature_stride
        dim = build_backbone(copy.deepcopy(config)).channels[-1]
        return cls(whole, config, dim, as_vit(packed.model("vision"), packed.settings.region_size))


def as_vit(dinov2: Dinov2Model, image_size: int) -> ViTModel:
    """Return a ViT that computes what a DINOv2 does: the scales of its layers go into their last projections.

    Args:
        dinov2 (`Dinov2Model`): with a plain feed-forward network.
        image_size (`int`): edge of the ViT's images; positions are interpolated as DINOv2 does it.
    """
    old = dinov2.config
    config = ViTConfig(
        hidden_size=old.hidden_size,
        intermediate_size=old.hidden_size * old.mlp_ratio,
        num_hidden_layers=old.num_hidden_layers,
        num_attention_heads=old.num_attention_heads,
        image_size=image_size,
        patch_size=old.patch_size,
        layer_norm_eps=old.layer_norm_eps,
        hidden_act=old.hidden_act,
    )
    vit = ViTModel(config, add_pooling_layer=False)
    weights = dinov2.state_dict()
    del weights["embeddings.mask_token"]
    vit.load_state_dict({_vit_name(name): weight for name, weight in _scaled(weights).items()}, strict=False)
    with torch.no_grad():
        positions = dinov2.embeddings.interpolate_pos_encoding(
            torch.empty(1, vit.embeddings.position_embeddings.shape[1], old.hidden_size), image_size, image_size
        )
        vit.embeddings.position_embeddings = nn.Parameter(positions)
    return vit.eval()


def _scaled(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Multiply the last projections of each layer by its scales, and leave out scales and positions."""
    scaled = {name: w for name, w in weights.items() if "layer_scale" not in name and "position" not in name}
    for name, scale in weights.items():
        if "layer_scale" in name:
            layer, _, which = name.removesuffix(".lambda1").rpartition(".")
            projection = {"layer_scale1": "attention.o_proj", "layer_scale2": "mlp.fc2"}[which]
            scaled[f"{layer}.{projection}.weight"] = scale[:, None] * weights[f"{layer}.{projection}.weight"]
            scaled[f"{layer}.{projection}.bias"] = scale * weights[f"{layer}.{projection}.bias"]
    return scaled


def _vit_name(name: str) -> str:
    for old, new in {"encoder.layer.": "layers.", "norm1": "layernorm_before", "norm2": "layernorm_after"}.items():
        name = name.replace(old, new)
    return name
