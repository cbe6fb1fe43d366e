"""IP-SP of IPAD: rounds of spatial and channel attention that close in on the region of an attribute.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, section 3.1.1.
Shapes: B images, K attributes, map (B, C, h, w) of N = h * w cells, attention of width c, embeddings of width d. S is
2, the foreground and its background, or 1 where there is no background.
"""

import torch
from torch import nn

from .attention_attribute import ChannelGate, SpatialAttention
from .configuration_ipad import IpadConfig


# Weights of cells multiply over the rounds. Larger ones change nothing: tanh is saturated, and the head's layer norm
# removes the scale; but its variance must stay within float32.
_LARGEST_CELL_WEIGHT = 1e12


def suppression_mask(activations: torch.Tensor, ratio: float, published: bool = False) -> torch.Tensor:
    """Return the cells that adaptive suppression keeps, eq. 2: those that reach a share of the strongest activation.

    Args:
        activations (`torch.Tensor` of shape `(..., N)`): products of cells and attribute, summed over channels.
        ratio (`float`): the share zeta, in (0, 1].
        published (`bool`): keep the cells that do not exceed the threshold, as the authors' released code does.

    Returns:
        `torch.Tensor` of shape `(..., N)`: True where a cell is kept. No cell is where all activations are negative.
    """
    threshold = ratio * activations.amax(-1, keepdim=True)
    return activations <= threshold if published else activations >= threshold


def suppressed_attention(
    activations: torch.Tensor,
    attention_dim: int,
    suppression: str = "adaptive",
    ratio: float = 0.95,
    published: bool = False,
) -> torch.Tensor:
    """Return the attention of an attribute over the cells: suppression (eq. 2), division by sqrt(c), softmax.

    Args:
        activations (`torch.Tensor` of shape `(..., N)`): products of cells and attribute, summed over channels.
        attention_dim (`int`): the number c of channels that were summed.
        suppression (`str`): `"adaptive"` gives suppressed cells the logit 0, `"exclude"` no attention (where all would
            be suppressed, none is), `"none"` leaves them.
        ratio (`float`): the share zeta, in (0, 1].
        published (`bool`): see `suppression_mask`.

    Returns:
        `torch.Tensor` of shape `(..., N)`: rows sum to 1; float32 or better.
    """
    logits = activations / attention_dim**0.5
    if suppression != "none":
        kept = suppression_mask(activations, ratio, published)
        if suppression == "exclude":
            logits = logits.masked_fill(~kept & kept.any(-1, keepdim=True), -torch.inf)
        else:
            logits = logits.masked_fill(~kept, 0.0)
    return logits.softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def accumulated_attention(attention: torch.Tensor) -> torch.Tensor:
    """Return the weights of the cells of x^i after each round: the product of the rounds' attention so far, eq. 3.

    Args:
        attention (`torch.Tensor` of shape `(..., Iter, N)`): every round's own attention; rows sum to 1.

    Returns:
        `torch.Tensor` of shape `(..., Iter, N)`: rows sum to 1; the first round's is its own attention.
    """
    smallest = torch.finfo(attention.dtype).tiny  # a cell that a round excludes has attention 0
    return attention.clamp(min=smallest).log().cumsum(-2).softmax(-1)


class IpadEmbeddingHead(nn.Module):
    """LN(h + MLP(LN(h))) with one layer norm for both places: eqs. 5 and 6.

    Args:
        dim (`int`): d.
        reduction (`int`): the hidden layer has d / reduction units.
        dropout (`float`): after each layer of the MLP.
        layer_norm_eps (`float`): epsilon of the layer norm.
    """

    def __init__(self, dim: int, reduction: int, dropout: float, layer_norm_eps: float):
        super().__init__()
        self.layer_norm = nn.LayerNorm(dim, eps=layer_norm_eps)
        self.fc1 = nn.Linear(dim, dim // reduction)
        self.fc2 = nn.Linear(dim // reduction, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """Transform embeddings (..., d) to (..., d)."""
        hidden = self.dropout(self.fc1(self.layer_norm(embeds)).relu())
        return self.layer_norm(embeds + self.dropout(self.fc2(hidden)))


class IpadPositioning(nn.Module):
    """Rounds of attention (eqs. 1 to 4) and the head on top of them (eqs. 5 and 6).

    A round multiplies the map by one number a cell (eq. 3), so x^i is the first map under the product of those
    numbers: only they are kept, and the map is projected for eq. 1 once, for all attributes and rounds.

    Two things are ours. Attention sums to 1, so eq. 3 is read as x^i = N * attention * x^{i-1}: without the N each
    round would shrink the map by the number of its cells. And p^0 is a projection of the attribute's embedding, since
    the paper gives it the map's number of channels.

    transformers' attention functions do not serve here: the mask of eq. 2 depends on the scores themselves, each round
    changes keys and values by one factor a cell, and the attention is an output.

    Args:
        config (`IpadConfig`): the model's configuration.
        channels (`int`): C, channels of the backbone's map.

    Raises:
        ValueError: if the background is to skip the projection (RPF) but a map has not as many channels as embeddings.
    """

    def __init__(self, config: IpadConfig, channels: int):
        super().__init__()
        self.config = config
        if not config.background_is_projected and channels != config.embedding_dim:
            raise ValueError(
                f"RPF's background is not projected: `embedding_dim` must equal the {channels} channels of the "
                f"backbone's map; got {config.embedding_dim}."
            )
        published = config.variant == "published"
        attribute_dim = config.attribute_dim if published else channels
        eps = config.layer_norm_eps
        self.map_norm = nn.LayerNorm(channels, eps=eps) if config.map_is_normalized else nn.Identity()
        self.attribute_projection = nn.Identity() if published else nn.Linear(config.attribute_dim, channels)
        self.attribute_norm = nn.LayerNorm(attribute_dim, eps=eps)
        self.spatial_attention, self.channel_gate = None, None
        if config.use_spatial_attention:
            self.spatial_attention = SpatialAttention(channels, attribute_dim, config.attention_dim)
        if config.use_channel_attention:
            self.channel_gate = ChannelGate(channels, config.attribute_dim, config.reduction)
            # The paper's p has the map's channels; the gate sees it through a layer of the table's width.
            self.channel_gate.attribute_projection = nn.Linear(attribute_dim, config.attribute_dim)
        self.projection = nn.Linear(channels, config.embedding_dim)
        self.head = IpadEmbeddingHead(config.embedding_dim, config.reduction, config.dropout, eps)

    def forward(
        self, feature_map: torch.Tensor, attribute_embeds: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        """Return the embeddings of the foreground and the background, and the attention after each round.

        Args:
            feature_map (`torch.Tensor` of shape `(B, C, h, w)`): the backbone's map.
            attribute_embeds (`torch.Tensor` of shape `(B, K, attribute_dim)`): embeddings of the attributes.

        Returns:
            `tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]`: embeddings (B, K, d), embeddings of the
            background (B, K, d) or `None` without spatial attention, and [`accumulated_attention`] after every round
            (B, K, Iter, h, w). A round's own attention says what it changes, not where the model looks.
        """
        # Half precision cannot hold N to the power of Iter; the model keeps these weights in float32 for it.
        with torch.autocast(feature_map.device.type, enabled=False):
            dtype = self.projection.weight.dtype
            cells = self.map_norm(feature_map.to(dtype).flatten(2).transpose(1, 2))  # (B, N, C)
            attributes = self.attribute_norm(self.attribute_projection(attribute_embeds.to(dtype)))  # (B, K, C)
            readout, maps = self._iterate(cells, attributes)  # (S, B, K, C), (B, K, Iter, N)
            embeds = self.head(self._project(readout))  # (S, B, K, d)
        background = embeds[1] if len(embeds) == 2 else None
        return embeds[0], background, accumulated_attention(maps).unflatten(-1, feature_map.shape[2:])

    def _iterate(self, cells: torch.Tensor, attributes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        exact = torch.promote_types(cells.dtype, torch.float32)
        streams = 1 if self.spatial_attention is None else 2
        # One row for all attributes until the first round has told them apart.
        weights = torch.ones(streams, cells.shape[0], 1, cells.shape[1], dtype=exact, device=cells.device)
        attributes = attributes.expand(streams, -1, -1, -1)  # (S, B, K, C)
        keys, bias = self._keys(cells)
        maps = []
        for _ in range(self.config.num_rounds):
            attention = self._attend(weights[0], keys, bias, attributes[0])  # (B, K, N)
            weights = self._reweigh(weights, attention)  # (S, B, K, N)
            readout, attributes = self._gate(self._pool(weights, cells), attributes)
            maps.append(attention)
        return readout, torch.stack(maps, dim=2)

    def _keys(self, cells: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the linear part of P_s(x) of eq. 1 (B, N, c), which scales with x, and its bias (1, 1, c)."""
        if self.spatial_attention is None:
            return None, None
        project = self.spatial_attention.image_projection
        bias = project(cells.new_zeros(1, cells.shape[-1], 1, 1)).flatten(2).transpose(1, 2)
        return project(cells.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2) - bias, bias

    def _attend(self, weights: torch.Tensor, keys: torch.Tensor, bias: torch.Tensor, attributes: torch.Tensor):
        """Return attention (B, K, N) by eqs. 1 and 2 from the cells' weights so far (B, K, N)."""
        if self.spatial_attention is None:
            uniform = torch.full_like(weights, 1 / weights.shape[-1])
            return uniform.expand(-1, attributes.shape[1], -1)
        queries = self.spatial_attention.attribute_projection(attributes).tanh()  # (B, K, c)
        places = (weights.unsqueeze(-1) * keys.unsqueeze(1) + bias.unsqueeze(1)).tanh()  # (B, K, N, c)
        queries = queries.unflatten(1, (places.shape[1], -1))  # (B, 1, K, c) in the first round, then (B, K, 1, c)
        activations = (queries @ places.to(queries.dtype).mT).flatten(1, 2)
        config = self.config
        published = config.variant == "published"
        return suppressed_attention(
            activations, config.attention_dim, config.suppression, config.suppression_ratio, published
        )

    def _reweigh(self, weights: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Update the weights by eq. 3; the background's factor is (1 - attention) / (N - 1)."""
        cells = attention.shape[-1]
        if len(weights) == 1:
            return weights * attention * cells
        factors = torch.stack([attention, (1 - attention) / max(cells - 1, 1)]) * cells
        return (weights * factors).clamp(max=_LARGEST_CELL_WEIGHT)

    def _pool(self, weights: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
        """Return v^i, the mean of x^i over its cells, (S, B, K, C)."""
        return (weights @ cells.to(weights.dtype) / cells.shape[1]).to(cells.dtype)

    def _gate(self, pooled: torch.Tensor, attributes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the input of the head (S, B, K, C), and p^i of eq. 4."""
        if self.channel_gate is None:
            return pooled, attributes
        gate = self.channel_gate(pooled, attributes)
        if self.config.variant == "published":
            return gate * pooled, attributes
        attributes = gate * attributes
        return (attributes if self.config.readout == "attribute" else gate * pooled), attributes

    def _project(self, readout: torch.Tensor) -> torch.Tensor:
        if self.config.background_is_projected or len(readout) == 1:
            return self.projection(readout)
        return torch.stack([self.projection(readout[0]), readout[1]])


__all__ = [
    "IpadEmbeddingHead",
    "IpadPositioning",
    "accumulated_attention",
    "suppressed_attention",
    "suppression_mask",
]
