"""Backbones of the attribute models: a pretrained CNN, the same CNN with random weights, and DINOv2."""

import copy
from dataclasses import dataclass

from transformers import MODEL_FOR_BACKBONE_MAPPING, Dinov2Model, PreTrainedConfig, PreTrainedModel

from benchmarks.gpu_batch.packed import Packed
from hf_fashion.models.attribute.backbone_attribute import build_backbone


RANDOM, FROZEN = "random", "frozen vision"


@dataclass(frozen=True)
class Starts:
    """What the branches of attribute models start from.

    Args:
        whole (`PreTrainedModel`): sees the whole photo.
        whole_config (`PreTrainedConfig`): its configuration as a backbone.
        embedding_dim (`int`): of each branch: as many as its map has channels, which RPF needs.
        region (`Dinov2Model`): sees the region in RPF and IPAD; ASEN++'s is of the kind that sees the whole photo.
        pretrained (`tuple[str, ...]`): what parameters of pretrained weights have in their names.
        frozen_whole (`int`): first layers of `whole` that are never trained.
        frozen_region (`int`): first layers of `region` that are never trained.
    """

    whole: PreTrainedModel
    whole_config: PreTrainedConfig
    embedding_dim: int
    region: Dinov2Model
    pretrained: tuple[str, ...]
    frozen_whole: int
    frozen_region: int

    @classmethod
    def of(cls, packed: Packed, backbone: str) -> "Starts":
        """Load both.

        Args:
            packed (`Packed`): holds the folders `cnn` and `vision`, which is a DINOv2.
            backbone (`str`): the folder of what sees the whole photo; or `"random"`: the CNN with random weights; or
                `"frozen vision"`: the DINOv2 with as many layers frozen as where it sees regions.
        """
        whole = packed.model({RANDOM: "cnn", FROZEN: "vision"}.get(backbone, backbone))
        if backbone == RANDOM:
            whole = type(whole)(whole.config)
        config = copy.deepcopy(whole.config)
        if type(config) not in MODEL_FOR_BACKBONE_MAPPING:
            config.feature_stride = packed.settings.feature_stride
        dim = build_backbone(copy.deepcopy(config)).channels[-1]
        pretrained = ("semantics.vit.",) if backbone == RANDOM else ("backbone.", "semantics.vit.")
        frozen = packed.settings.frozen_region_layers
        frozen_whole = frozen if backbone == FROZEN else 0
        return cls(whole, config, dim, packed.model("vision"), pretrained, frozen_whole, frozen)
