"""ASEN and ASEN++: attention that an attribute steers, over the whole image and over the region it finds.

Source: Dong et al., "Fine-Grained Fashion Similarity Prediction by Attribute-Specific Embedding Learning" (ASEN++),
IEEE TIP 2021. Also the heads that they are compared with: the plain triplet net, and CSN (Veit et al., CVPR 2017).
Shapes: B images, K attributes asked for, map (B, C, h, w), attribute embeddings of width P, embeddings of width d.
"""

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import can_return_tuple

from .attention_attribute import ChannelGate, SpatialAttention, attend
from .backbone_attribute import build_backbone, feature_map
from .configuration_asen import AsenConfig
from .modeling_attribute import AttributePreTrainedModel
from .modeling_outputs_attribute import AttributeOutput
from .table_attribute import TextAttributeTable, make_table


class AsenHead(nn.Module):
    """Attribute-aware spatial attention, then channel attention, then a projection; the config may omit one of both.

    Args:
        channels (`int`): C of the map.
        attention_dim (`int`): dimension in which places and attributes are compared.
        config (`AsenConfig`): the other sizes, and the variant of the attention.
    """

    def __init__(self, channels: int, attention_dim: int, config: AsenConfig):
        super().__init__()
        self.spatial_attention, self.channel_gate = None, None
        if config.use_spatial_attention:
            sizes = channels, config.attribute_dim, attention_dim
            self.spatial_attention = SpatialAttention(*sizes, config.attention_variant)
        if config.use_channel_attention:
            self.channel_gate = ChannelGate(channels, config.attribute_dim, config.reduction)
        self.projection = nn.Identity() if config.embedding_dim is None else nn.Linear(channels, config.embedding_dim)

    def forward(self, image_map: torch.Tensor, attribute_embeds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the embeddings of a map for each attribute, and the attention.

        Args:
            image_map (`torch.Tensor` of shape `(B, C, h, w)`): the backbone's map.
            attribute_embeds (`torch.Tensor` of shape `(B, K, P)`): embeddings of the attributes asked for.

        Returns:
            `tuple[torch.Tensor, torch.Tensor]`: embeddings (B, K, d), not normalised, and attention (B, K, h, w).
        """
        if self.spatial_attention is None:
            equal = image_map.new_zeros(*attribute_embeds.shape[:2], image_map[0, 0].numel())
            attention, pooled = attend(equal, image_map)
        else:
            attention, pooled = self.spatial_attention(image_map, attribute_embeds)  # (B, K, h, w), (B, K, C)
        gate = 1 if self.channel_gate is None else self.channel_gate(pooled, attribute_embeds)
        return self.projection(pooled * gate), attention


class ConditionalMasks(nn.Embedding):
    """CSN's masks before their ReLU, one for each attribute."""


class PooledHead(nn.Module):
    """One embedding of the pooled map for all attributes, and CSN's mask on it for each.

    Args:
        channels (`int`): C of the map.
        config (`AsenConfig`): `embedding_dim`, and whether the head is `"csn"` or `"triplet"`.
    """

    def __init__(self, channels: int, config: AsenConfig):
        super().__init__()
        self.projection = nn.Linear(channels, config.embedding_dim)
        self.masks = ConditionalMasks(config.num_attributes, config.embedding_dim) if config.head == "csn" else None

    def forward(self, image_map: torch.Tensor, masks: torch.Tensor | None) -> torch.Tensor:
        """Return the embeddings of a map, masked for each attribute in CSN.

        Args:
            image_map (`torch.Tensor` of shape `(B, C, h, w)`): the backbone's map.
            masks (`torch.Tensor` of shape `(B, K, d)` or `None`): CSN's masks of the attributes asked for.

        Returns:
            `torch.Tensor` of shape `(B, K, d)`, or `(B, 1, d)` without masks: embeddings, not normalised.
        """
        embeds = self.projection(image_map.mean((2, 3))).unsqueeze(1)  # (B, 1, d)
        return embeds if masks is None else embeds * masks.relu()


class AsenBranch(nn.Module):
    """A backbone and the head on its map.

    Args:
        backbone_config (`PreTrainedConfig`): configuration of the backbone.
        attention_dim (`int`): dimension in which places and attributes are compared.
        config (`AsenConfig`): the rest.
    """

    def __init__(self, backbone_config: PreTrainedConfig, attention_dim: int, config: AsenConfig):
        super().__init__()
        self.backbone = build_backbone(backbone_config)
        channels = self.backbone.channels[-1]
        self.head = (
            AsenHead(channels, attention_dim, config) if config.head == "asen" else PooledHead(channels, config)
        )


class AsenModel(AttributePreTrainedModel):
    """ASEN; ASEN++ where there is a `config.local_backbone_config`; CSN and the triplet net by `config.head`."""

    config: AsenConfig
    config_class = AsenConfig
    base_model_prefix = "asen"
    _input_embed_layer = "attribute_embedding"
    _supports_sdpa = True  # of backbones that have such attention; ASEN's own is of another kind
    _supports_attention_backend = True
    _no_split_modules = ["AsenHead", "PooledHead"]
    lora_new_modules = ["attribute_embedding", "global_branch.head", "local_branch.head"]

    def __init__(self, config: AsenConfig):
        super().__init__(config)
        if config.head == "asen":
            self.attribute_embedding = make_table(config)
        self.global_branch = AsenBranch(config.backbone_config, config.attention_dim, config)
        self.local_branch = None
        if config.local_backbone_config is not None:
            self.local_branch = AsenBranch(config.local_backbone_config, config.local_attention_dim, config)
        self.supports_gradient_checkpointing = self.image_backbone.supports_gradient_checkpointing
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, ConditionalMasks):  # as in CSN's release: most dimensions open, some shut
            init.normal_(module.weight, mean=0.9, std=0.7)

    @property
    def attribute_table(self) -> nn.Embedding | TextAttributeTable | None:
        """`nn.Embedding`, `TextAttributeTable` or `None`: rows of attributes; CSN's are its masks."""
        return self.attribute_embedding if self.config.head == "asen" else self.global_branch.head.masks

    def embed_map(self, image_map: torch.Tensor, attribute_rows: torch.Tensor) -> torch.Tensor:
        """Embed maps for attributes given by their rows, by the global branch.

        Args:
            image_map (`torch.Tensor` of shape `(B, C, h, w)`): from `encode_map`.
            attribute_rows (`torch.Tensor` of shape `(B, K, P)`): rows of the attributes.

        Returns:
            `torch.Tensor` of shape `(B, K, d)`: `global_embeds`, not normalised.
        """
        embeds = self.global_branch.head(image_map, attribute_rows)
        return embeds[0] if self.config.head == "asen" else embeds

    @property
    def image_backbone(self) -> PreTrainedModel:
        """`PreTrainedModel`: backbone of the global branch."""
        return self.global_branch.backbone

    @property
    def region_backbone(self) -> PreTrainedModel | None:
        """`PreTrainedModel` or `None`: backbone of the local branch."""
        return None if self.local_branch is None else self.local_branch.backbone

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
        """Return embeddings of images for each attribute.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): images from the image processor.
            attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`, *optional*): positions in
                `config.attribute_names`; default: all of them. K = 1 for ids of shape `(B,)`.
            source_pixel_values (`torch.Tensor` of shape `(B, 3, H', W')`, *optional*): the photos before their centre
                crop, which the local branch's regions are cut from; default: `pixel_values`.
            source_sizes (`torch.Tensor` of shape `(B, 2)`, *optional*): height and width of their unpadded parts.
            output_hidden_states (`bool`, *optional*): return the hidden states of the global branch's backbone.

        Raises:
            ValueError: if the ids are no attributes of this model, or shapes do not fit each other.
        """
        attribute_ids = self.resolve_attribute_ids(attribute_ids, pixel_values)  # (B, K)
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        image_map, hidden_states = feature_map(
            self.image_backbone, pixel_values, output_hidden_states=output_hidden_states
        )
        attention_maps = boxes = local_embeds = None
        if self.config.head == "asen":
            attribute_embeds = self.attribute_embedding(attribute_ids)  # (B, K, P)
            global_embeds, attention_maps = self.global_branch.head(image_map, attribute_embeds)
        else:
            masks = None if self.attribute_table is None else self.attribute_table(attribute_ids)
            global_embeds = self.global_branch.head(image_map, masks).expand(
                -1, attribute_ids.shape[1], -1
            )  # (B, K, d)
        if self.local_branch is not None:
            boxes, regions = self.regions_of_interest(
                attention_maps, self.config.local_image_size, pixel_values, source_pixel_values, source_sizes
            )
            region_map, _ = feature_map(self.region_backbone, regions)  # (B * K, C, h, w)
            local_embeds, _ = self.local_branch.head(region_map, attribute_embeds.flatten(0, 1).unsqueeze(1))
            local_embeds = local_embeds.view_as(global_embeds)
        return AttributeOutput(
            attribute_embeds=self._search_feature(global_embeds, local_embeds),
            global_embeds=global_embeds,
            local_embeds=local_embeds,
            attention_maps=attention_maps,
            boxes=boxes,
            hidden_states=hidden_states,
        )

    def _search_feature(self, global_embeds: torch.Tensor, local_embeds: torch.Tensor | None) -> torch.Tensor:
        """Return [sqrt(w) g ; sqrt(1 - w) l]: a dot product is then the weighted mean of the branches' cosines."""
        features = nn.functional.normalize(global_embeds, dim=-1)
        if local_embeds is None:
            return features
        weight = self.config.global_weight
        local_features = nn.functional.normalize(local_embeds, dim=-1).to(features.device)
        return torch.cat([weight**0.5 * features, (1 - weight) ** 0.5 * local_features], dim=-1)


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
AsenModel.register_for_auto_class("AutoModel")

__all__ = ["AsenModel"]
