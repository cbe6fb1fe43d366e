"""IP-SE of IPAD: a ViT or DINOv2 on the region, whose tokens an attribute attends to.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, section 3.1.2.
Shapes: B images, K attributes, U distinct regions, N patches of a region, width D, embeddings of width d.
"""

from os import PathLike

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel, ViTModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.vit.modeling_vit import eager_attention_forward

from .backbone_attribute import drop_mask_token, load_pretrained
from .configuration_ipad import REGION_FAMILIES, IpadConfig


def distinct_regions(boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distinct boxes of each image, since attributes often share one and it needs encoding only once.

    Args:
        boxes (`torch.Tensor` of shape `(B, K, 4)`): long.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: for each distinct pair of image and box one of its places (U,) among the
        B * K; and for each of the B * K places (B * K,) the number of its pair.
    """
    places = torch.arange(boxes.shape[0] * boxes.shape[1], device=boxes.device)
    if torch.compiler.is_compiling():  # a graph has no shape that depends on values: every region is encoded
        return places, places
    numbers = torch.arange(len(boxes), device=boxes.device)
    rows = torch.cat([numbers[:, None, None].expand(-1, boxes.shape[1], 1), boxes], dim=-1).flatten(0, 1)
    pairs, pair_of_place = rows.unique(dim=0, return_inverse=True)
    first = places.new_full((len(pairs),), len(rows)).scatter_reduce(0, pair_of_place, places, "amin")
    return first, pair_of_place


def build_vit(config: IpadConfig) -> PreTrainedModel:
    """Build the vision transformer of IP-SE with new weights, without pooler, final layer norm and mask token.

    Args:
        config (`IpadConfig`): `vit_config` and `vit_patch_stride`.

    Returns:
        `PreTrainedModel`: a bare ViT or DINOv2 of transformers, whose weights keep their names.
    """
    family = REGION_FAMILIES[config.vit_config.model_type]
    vit = AutoModel.from_config(config.vit_config, **({"add_pooling_layer": False} if family.pooler else {}))
    vit.set_submodule(family.norm, nn.Identity())
    if config.vit_patch_stride is not None:
        overlap_patches(vit, config.vit_patch_stride)
    drop_mask_token(vit)
    return vit


def overlap_patches(vit: ViTModel, stride: int) -> None:
    """Set the distance of a new ViT's patches, and make as many position embeddings as there are then patches.

    Args:
        vit (`ViTModel`): the model, which is changed.
        stride (`int`): pixels from one patch to the next.
    """
    config, embeddings = vit.config, vit.embeddings
    patches = ((config.image_size - config.patch_size) // stride + 1) ** 2
    embeddings.patch_embeddings.projection.stride = (stride, stride)
    embeddings.position_embeddings = nn.Parameter(
        config.initializer_range
        * embeddings.position_embeddings.new_empty(1, 1 + patches, config.hidden_size).normal_()
    )


class IpadCrossAttention(nn.Module):
    """Attention of attributes over the tokens of a region, eqs. 7 and 8.

    Args:
        config (`PreTrainedConfig`): configuration of the ViT or DINOv2; width, heads, dropout and the attention
            implementation are its.
    """

    is_causal = False

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.head_dim = config.hidden_size // config.num_attention_heads
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def _split_heads(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (M, heads, length, D / heads)

    def forward(self, queries: torch.Tensor, tokens: torch.Tensor, region_of_query: torch.Tensor) -> torch.Tensor:
        """Return the attribute's attention over the tokens of its region.

        Args:
            queries (`torch.Tensor` of shape `(M, D)`): one an image and attribute.
            tokens (`torch.Tensor` of shape `(U, N, D)`): tokens of the regions.
            region_of_query (`torch.Tensor` of shape `(M,)`): the region that each query looks at.

        Returns:
            `torch.Tensor` of shape `(M, D)`: the heads joined and projected.
        """
        query = self._split_heads(self.q_proj(queries).unsqueeze(1))  # (M, heads, 1, D / heads)
        # Projected before they are repeated: a region that several attributes look at is projected once.
        key = self._split_heads(self.k_proj(tokens)[region_of_query])  # (M, heads, N, D / heads)
        value = self._split_heads(self.v_proj(tokens)[region_of_query])
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        dropout = self.config.attention_probs_dropout_prob if self.training else 0.0
        attended, _ = attend(self, query, key, value, None, dropout=dropout, scaling=self.head_dim**-0.5)
        return self.o_proj(attended.flatten(1))


class IpadSemantics(nn.Module):
    """IP-SE's network: ViT or DINOv2, cross-attention (eqs. 7 and 8), feed-forward network (eq. 9), final layer norm.

    The ViT never sees the attribute. Its class token and registers are dropped, and its own final layer norm too:
    tokens and queries share one here.

    Args:
        config (`IpadConfig`): the model's configuration.
    """

    # What a pretrained ViT lacks.
    new_modules = (
        *("attribute_projection", "type_embeddings", "cross_attention_norm", "cross_attention", "projection"),
        *("ffn_norm", "fc1", "fc2", "final_norm"),
    )

    def __init__(self, config: IpadConfig):
        super().__init__()
        width, dim, eps = config.vit_config.hidden_size, config.embedding_dim, config.layer_norm_eps
        family = REGION_FAMILIES[config.vit_config.model_type]
        self.vit = build_vit(config)
        self.num_first_tokens = 1 + (config.vit_config.num_register_tokens if family.registers else 0)
        resized = config.region_edge != config.vit_config.image_size
        self.vit_options = {"interpolate_pos_encoding": True} if resized and family.interpolates else {}
        self.attribute_projection = nn.Linear(config.attribute_dim, width)
        self.type_embeddings = nn.Embedding(2, width)  # of queries and of tokens
        self.cross_attention_norm = nn.LayerNorm(width, eps=eps)
        self.cross_attention = IpadCrossAttention(config.vit_config)
        self.projection = nn.Linear(width, dim)
        self.ffn_norm = nn.LayerNorm(dim, eps=eps)
        self.fc1 = nn.Linear(dim, dim // config.reduction)
        self.fc2 = nn.Linear(dim // config.reduction, dim)
        self.dropout = nn.Dropout(config.dropout)
        self.final_norm = nn.LayerNorm(dim, eps=eps)

    def load_vit(self, source: str | PathLike | PreTrainedModel) -> None:
        """Start from a pretrained ViT or DINOv2, and from nothing that would drown it.

        The norm in front of the attention becomes its final layer norm, the type embeddings become as small as its own
        new weights, and the MLP of eq. 9 starts from 0.

        Args:
            source (`str`, `os.PathLike` or `PreTrainedModel`): see [`load_pretrained`].
        """
        family = REGION_FAMILIES[self.vit.config.model_type]
        norm = load_pretrained(self.vit, source).base_model.get_submodule(family.norm)
        if not isinstance(norm, nn.Identity):  # the ViT of another IPAD has none
            self.cross_attention_norm.load_state_dict(norm.state_dict())
        nn.init.normal_(self.type_embeddings.weight, std=self.vit.config.initializer_range)
        nn.init.zeros_(self.fc2.weight)

    def forward(
        self, regions: torch.Tensor, region_of_query: torch.Tensor, attribute_embeds: torch.Tensor
    ) -> torch.Tensor:
        """Embed the regions for each attribute.

        Args:
            regions (`torch.Tensor` of shape `(U, 3, S, S)`): distinct regions; S is `config.region_edge`.
            region_of_query (`torch.Tensor` of shape `(B * K,)`): the region of each image and attribute.
            attribute_embeds (`torch.Tensor` of shape `(B, K, attribute_dim)`): embeddings of the attributes.

        Returns:
            `torch.Tensor` of shape `(B, K, d)`: f_se of eq. 9 after the final layer norm.
        """
        states = self.vit(regions, return_dict=True, **self.vit_options).last_hidden_state
        tokens = states[:, self.num_first_tokens :]  # (U, N, D)
        types = self.type_embeddings(torch.arange(2, device=tokens.device))
        queries = self.attribute_projection(attribute_embeds).flatten(0, 1) + types[0]  # (B * K, D)
        queries, tokens = self.cross_attention_norm(queries), self.cross_attention_norm(tokens + types[1])
        embeds = self.projection(self.cross_attention(queries, tokens, region_of_query))  # (B * K, d)
        hidden = self.dropout(nn.functional.gelu(self.fc1(self.ffn_norm(embeds))))
        embeds = self.final_norm(embeds + self.dropout(self.fc2(hidden)))
        return embeds.unflatten(0, attribute_embeds.shape[:2])


__all__ = [
    "IpadCrossAttention",
    "IpadSemantics",
    "build_vit",
    "distinct_regions",
    "overlap_patches",
]
