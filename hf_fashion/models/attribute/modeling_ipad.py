"""IPAD: where an attribute is in an image (IP-SP) and how it looks there (IP-SE), for several attributes at once.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, section 3.1. RPF is a configuration of the same model.
Shapes: B images, K attributes, backbone's map (B, C, h, w), branch embeddings of width d, search features of width D.
"""

from os import PathLike

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_utils import local_torch_dtype
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import can_return_tuple

from .backbone_attribute import build_backbone, feature_map
from .configuration_ipad import IpadConfig
from .modeling_attribute import AttributePreTrainedModel
from .modeling_outputs_attribute import AttributeOutput
from .positioning_ipad import IpadPositioning
from .semantics_ipad import IpadSemantics, distinct_regions
from .table_attribute import make_table


def fuse_branches(
    spatial_embeds: torch.Tensor, semantic_embeds: torch.Tensor, beta: float, fusion: str = "concat"
) -> torch.Tensor:
    """Fuse the embeddings of both branches, eq. 21: sqrt(beta) norm(f_sp) and sqrt(1 - beta) norm(f_se).

    Args:
        spatial_embeds (`torch.Tensor` of shape `(..., d)`): IP-SP.
        semantic_embeds (`torch.Tensor` of shape `(..., d)`): IP-SE.
        beta (`float`): weight of IP-SP, in [0, 1].
        fusion (`str`): `"concat"` puts one after the other, so that scores are the branches' cosines weighted by beta;
            `"sum"` adds them, as the paper prints, which gives cross terms.

    Returns:
        `torch.Tensor` of shape `(..., 2 d)`, of length 1, or `(..., d)`, not normalised.
    """
    spatial = beta**0.5 * nn.functional.normalize(spatial_embeds, dim=-1)
    semantic = (1 - beta) ** 0.5 * nn.functional.normalize(semantic_embeds.to(spatial.device), dim=-1)
    return torch.cat([spatial, semantic], dim=-1) if fusion == "concat" else spatial + semantic


class IpadModel(AttributePreTrainedModel):
    """IPAD, and RPF as a configuration of it (see [`IpadConfig`])."""

    config: IpadConfig
    config_class = IpadConfig
    base_model_prefix = "ipad"
    _input_embed_layer = "attribute_embedding"
    _supports_sdpa = True
    _supports_attention_backend = True
    _no_split_modules = ["IpadPositioning", "IpadSemantics"]
    # Cells' weights multiply over the rounds, beyond what float16 can hold.
    _keep_in_fp32_modules_strict = ["positioning"]
    lora_new_modules = [
        "attribute_embedding",
        "positioning",
        *(f"semantics.{name}" for name in IpadSemantics.new_modules),
    ]

    def __init__(self, config: IpadConfig):
        super().__init__(config)
        self.backbone = build_backbone(config.backbone_config)
        self.attribute_embedding = make_table(config)
        with local_torch_dtype(torch.float32):  # whatever type the model is created in
            self.positioning = IpadPositioning(config, self.backbone.channels[-1])
        self.semantics = IpadSemantics(config) if config.use_semantic_branch else None
        parts = (self.image_backbone, self.region_backbone)
        self.supports_gradient_checkpointing = any(part.supports_gradient_checkpointing for part in parts if part)
        self.post_init()

    @property
    def image_backbone(self) -> PreTrainedModel:
        """`PreTrainedModel`: IP-SP's backbone."""
        return self.backbone

    @property
    def region_backbone(self) -> PreTrainedModel | None:
        """`PreTrainedModel` or `None`: IP-SE's ViT or DINOv2."""
        return None if self.semantics is None else self.semantics.vit

    def load_image_backbone(self, source: str | PathLike | PreTrainedModel) -> None:
        super().load_image_backbone(source)
        # A random MLP of the head is as large as the embedding that it is added to (eqs. 5 and 6), and drowns what the
        # backbone knows of similarity.
        nn.init.zeros_(self.positioning.head.fc2.weight)

    def _load_region_backbone(self, source: str | PathLike | PreTrainedModel) -> None:
        self.semantics.load_vit(source)

    def embed_map(self, image_map: torch.Tensor, attribute_rows: torch.Tensor) -> torch.Tensor:
        """Embed maps for attributes given by their rows, by IP-SP.

        Args:
            image_map (`torch.Tensor` of shape `(B, C, h, w)`): from `encode_map`.
            attribute_rows (`torch.Tensor` of shape `(B, K, P)`): rows of the attributes.

        Returns:
            `torch.Tensor` of shape `(B, K, d)`: `global_embeds`, not normalised.
        """
        return self.positioning(image_map, attribute_rows)[0]

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor,
        attribute_ids: torch.Tensor | None = None,
        source_pixel_values: torch.Tensor | None = None,
        source_sizes: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> AttributeOutput:
        """Return embeddings of images for each attribute, attention and boxes.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): images from the image processor.
            attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`, *optional*): positions in
                `config.attribute_names`; default: all of them.
            source_pixel_values (`torch.Tensor` of shape `(B, 3, H', W')`, *optional*): the photos before their centre
                crop, which the regions are cut from; default: `pixel_values`.
            source_sizes (`torch.Tensor` of shape `(B, 2)`, *optional*): height and width of their unpadded parts.
            output_hidden_states (`bool`, *optional*): return the hidden states of the backbone.

        Raises:
            ValueError: if ids, images, sources and sizes do not fit the model or each other.
        """
        attribute_ids = self.resolve_attribute_ids(attribute_ids, pixel_values)
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        image_map, hidden_states = feature_map(
            self.backbone, pixel_values, output_hidden_states=output_hidden_states
        )  # (B, C, h, w)
        attribute_embeds = self.attribute_embedding(attribute_ids)  # (B, K, attribute_dim)
        spatial, background, iteration_maps = self.positioning(image_map, attribute_embeds)
        boxes, semantic = None, None
        if self.semantics is not None:
            boxes, regions = self.regions_of_interest(
                iteration_maps[:, :, -1], self.config.region_edge, pixel_values, source_pixel_values, source_sizes
            )
            first, region_of_place = distinct_regions(boxes)
            semantic = self.semantics(regions[first.to(regions.device)], region_of_place, attribute_embeds)
        return AttributeOutput(
            attribute_embeds=self._search_features(spatial, semantic),
            global_embeds=spatial,
            local_embeds=semantic,
            background_embeds=background,
            attention_maps=iteration_maps[:, :, -1],
            iteration_maps=iteration_maps,
            boxes=boxes,
            hidden_states=hidden_states,
        )

    def _search_features(self, spatial: torch.Tensor, semantic: torch.Tensor | None) -> torch.Tensor:
        """Return (B, K, D), L2-normalised: eq. 21, or only one branch."""
        if semantic is None:
            features = spatial
        elif not self.config.use_spatial_branch:
            features = semantic
        else:
            features = fuse_branches(spatial, semantic, self.config.beta, self.config.fusion)
        return nn.functional.normalize(features, dim=-1)


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
IpadModel.register_for_auto_class("AutoModel")

__all__ = ["IpadModel", "fuse_branches"]
