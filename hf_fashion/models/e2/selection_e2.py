"""Selection tokens of E2: their way through a tower, the fusion blocks between its layers, and the region head.

Source: Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations", NeurIPS 2024.
Shapes: B images, N patches, E tag entities with n selection tokens each, width D, shared space P.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedConfig
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs


@dataclass
class E2Selection(ModelOutput):
    """Patches that one fusion block selected.

    Args:
        scores (`torch.Tensor` of shape `(B, E * n, N)`): softmax over the patches, without noise; rows sum to 1.
        indices (`torch.Tensor` of shape `(B, E * n)`): the patch each token took, counted row by row; in training it
            was drawn.
    """

    scores: torch.Tensor | None = None
    indices: torch.Tensor | None = None


class E2FusionBlock(nn.Module):
    """Each selection token takes one patch and averages itself with that patch's value (paper, section 3.2)."""

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        width = config.hidden_size
        self.temperature = config.selection_temperature
        self.scale = width**-0.5
        # The scores may exceed what float16 holds, so the queries take most of the scale: a power of two, which
        # changes no digit of what follows.
        self.query_scale = 2.0 ** math.floor(math.log2(self.scale))
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)

    def _scores(self, tokens: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        queries = self.q_proj(tokens) * self.query_scale  # (B, E * n, D)
        weight = self.k_proj.weight
        if type(self.k_proj) is nn.Linear and not (weight.is_meta or hasattr(weight, "__tensor_flatten__")):
            # q kᵀ = (g Wq Wkᵀ) xᵀ: E * n rows are projected instead of N. Not where the layer is wrapped (LoRA), or
            # its weight is offloaded or a tensor made of others (int8, sharded): such a layer must be called.
            return (queries @ weight) @ patches.transpose(1, 2)
        return queries @ self.k_proj(patches).transpose(1, 2)

    def forward(self, tokens: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, E2Selection]:
        """
        Args:
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.
            patches (`torch.Tensor` of shape `(B, N, D)`): patch tokens.

        Returns:
            `tuple[torch.Tensor, E2Selection]`: fused tokens (B, E * n, D), and what they selected.
        """
        scores = self._scores(tokens, patches).float() * (self.scale / self.query_scale)  # (B, E * n, N)
        if self.training:
            # (onehot x) Wv = onehot (x Wv): only the values of the chosen patches are projected.
            onehot = nn.functional.gumbel_softmax(scores, tau=self.temperature, hard=True)
            chosen, indices = onehot.to(patches.dtype) @ patches, onehot.argmax(-1)
        else:
            indices = scores.argmax(-1)  # (B, E * n)
            chosen = patches.gather(1, indices.unsqueeze(-1).expand(-1, -1, patches.shape[-1]))
        fused = (tokens + self.v_proj(chosen)) / 2
        return fused, E2Selection(scores=scores.softmax(-1), indices=indices)


class E2FusionBlocks(nn.Sequential):
    """The fusion blocks of a tower. A module with a forward, so that peft can train and save all of them as one."""

    def forward(self, place: int, tokens: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, E2Selection]:
        """
        Args:
            place (`int`): which block.
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.
            patches (`torch.Tensor` of shape `(B, N, D)`): patch tokens.

        Returns:
            `tuple[torch.Tensor, E2Selection]`: as of [`E2FusionBlock`].
        """
        return self[place](tokens, patches)


def run_layers(
    layers: nn.ModuleList,
    fusion_blocks: E2FusionBlocks,
    config: PreTrainedConfig,
    hidden_states: torch.Tensor,
    tokens: torch.Tensor,
    num_prefix_tokens: int,
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, tuple[E2Selection, ...]]:
    """Run the layers of a tower with selection tokens, and the fusion blocks between them (paper, section 3.2).

    Args:
        layers (`nn.ModuleList`): the tower's, each from tokens (B, L, D) and an attention mask to tokens.
        fusion_blocks (`E2FusionBlocks`): one for each of the configuration's `fusion_layers`.
        config (`E2VisionConfig` or `E2TowerConfig`): where tokens enter, where they are fused, what is dropped.
        hidden_states (`torch.Tensor` of shape `(B, F + N, D)`): the tower's F first tokens and its patches.
        tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.
        num_prefix_tokens (`int`): F: class token and registers; 0 where a tower has patches only.
        kwargs (`dict`, *optional*): what every layer is called with.

    Returns:
        `tuple[torch.Tensor, tuple[E2Selection]]`: tokens (B, F + E * n [+ N], D) after the last layer, and what each
        fusion block selected.
    """
    places = {number: place for place, number in enumerate(config.fusion_layers)}
    sizes = [num_prefix_tokens, tokens.shape[1], hidden_states.shape[1] - num_prefix_tokens]
    selections = []
    for number, layer in enumerate(layers, start=1):
        if number == config.first_selection_layer:
            first, patches = hidden_states.split([sizes[0], sizes[2]], dim=1)
            hidden_states = torch.cat([first, tokens, patches], dim=1)  # (B, F + E * n + N, D)
        hidden_states = layer(hidden_states, None, **kwargs)
        if number in places:
            first, tokens, patches = hidden_states.split(sizes, dim=1)
            tokens, selection = fusion_blocks(places[number], tokens, patches)
            selections.append(selection)
            keep_patches = number < max(places) or not config.drop_patch_tokens
            hidden_states = torch.cat([first, tokens, patches] if keep_patches else [first, tokens], dim=1)
            if not keep_patches and "position_embeddings" in kwargs:  # (N, d): of patches only
                kwargs["position_embeddings"] = tuple(rows[:0] for rows in kwargs["position_embeddings"])
    return hidden_states, tuple(selections)


class E2RegionHead(nn.Module):
    """Separated average pooling: per entity a layer norm, the mean over its tokens, a projection."""

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        width, entities = config.hidden_size, config.tag_entities
        self.tokens_per_entity, self.projection_dim = config.tokens_per_entity, config.projection_dim
        self.last_entity_pools_one_token = config.last_entity_pools_one_token
        self.layer_norms = nn.ModuleList([nn.LayerNorm(width, eps=config.layer_norm_eps) for _ in entities])
        self.projections = nn.ModuleList([nn.Linear(width, config.projection_dim, bias=False) for _ in entities])

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """
        Args:
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens after the last layer.

        Returns:
            `torch.Tensor` of shape `(B, E, P)`: region embeddings, not normalised.
        """
        if not self.projections:
            return tokens.new_zeros(tokens.shape[0], 0, self.projection_dim)
        groups = list(tokens.split(self.tokens_per_entity, dim=1))
        if self.last_entity_pools_one_token:
            groups[-1] = groups[-1][:, :1]
        heads = zip(groups, self.layer_norms, self.projections, strict=True)
        return torch.stack([project(norm(group).mean(1)) for group, norm, project in heads], dim=1)


class E2RegionPool(nn.Module):
    """What the regions add to the image embedding: a projection, 0 in a new model, of their mean."""

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        self.projection = nn.Linear(config.projection_dim, config.projection_dim, bias=False)

    def forward(self, region_embeds: torch.Tensor) -> torch.Tensor:
        """
        Args:
            region_embeds (`torch.Tensor` of shape `(B, E, P)`): region embeddings, not normalised.

        Returns:
            `torch.Tensor` of shape `(B, P)`: to be added to image embeddings that are not normalised.
        """
        return self.projection(nn.functional.normalize(region_embeds, dim=-1).mean(1))


__all__ = ["E2FusionBlock", "E2FusionBlocks", "E2RegionHead", "E2RegionPool", "E2Selection", "run_layers"]
