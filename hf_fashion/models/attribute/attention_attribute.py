"""Attention that an attribute steers: over places (ASA) and over channels (ACA), for all attributes at once.

Source: Dong et al., "Fine-Grained Fashion Similarity Prediction by Attribute-Specific Embedding Learning" (ASEN++),
IEEE TIP 2021; Ma et al., "Fine-Grained Fashion Similarity Learning by Attribute-Specific Embedding Network" (ASEN),
AAAI 2020.
Shapes: B images, K attributes, map (B, C, h, w), attribute embeddings of width P, attention of width c.
"""

import torch
from torch import nn


def attention_logits(keys: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """Return the scaled dot product of every place with every attribute.

    Args:
        keys (`torch.Tensor` of shape `(B, c, N)`): places, the same for all attributes.
        queries (`torch.Tensor` of shape `(B, K, c)`): attributes.

    Returns:
        `torch.Tensor` of shape `(B, K, N)`: dot products divided by the square root of c.
    """
    return queries @ keys / keys.shape[1] ** 0.5


def attend(logits: torch.Tensor, feature_map: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the softmax over the places, and the mean of the map weighted by it.

    Args:
        logits (`torch.Tensor` of shape `(B, K, h * w)`): one row an attribute, places row by row.
        feature_map (`torch.Tensor` of shape `(B, C, h, w)`): the map.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: attention (B, K, h, w), in float32 or better, each map sums to 1; and the
        pooled map (B, K, C).
    """
    attention = logits.softmax(-1, dtype=torch.promote_types(logits.dtype, torch.float32))  # (B, K, h * w)
    pooled = attention.to(feature_map.dtype) @ feature_map.flatten(2).transpose(1, 2)  # (B, K, C)
    return attention.unflatten(-1, feature_map.shape[2:]), pooled


class SpatialAttention(nn.Module):
    """Attribute-aware spatial attention: where in the map an attribute is.

    The places go through the convolution once, since it does not depend on the attribute; an attribute more costs one
    row of a matrix product.

    Args:
        channels (`int`): C of the map.
        attribute_dim (`int`): P.
        attention_dim (`int`): c.
        variant (`str`): `"plus"` (ASEN++), `"v1"` (the AAAI paper: a weight for each channel and a second tanh before
            the softmax, no division) or `"v2"` (its second release: batch norm before the first tanh).
    """

    def __init__(self, channels: int, attribute_dim: int, attention_dim: int, variant: str = "plus"):
        super().__init__()
        self.image_projection = nn.Conv2d(channels, attention_dim, kernel_size=1)
        self.image_norm = nn.BatchNorm2d(attention_dim) if variant == "v2" else nn.Identity()
        self.attribute_projection = nn.Linear(attribute_dim, attention_dim)
        self.channel_weights = nn.Conv1d(attention_dim, 1, kernel_size=1) if variant == "v1" else None

    def forward(self, feature_map: torch.Tensor, attribute_embeds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spatial attention and the map pooled under it.

        Args:
            feature_map (`torch.Tensor` of shape `(B, C, h, w)`): the backbone's map.
            attribute_embeds (`torch.Tensor` of shape `(B, K, P)`): embeddings of the attributes asked for.

        Returns:
            `tuple[torch.Tensor, torch.Tensor]`: attention (B, K, h, w), each map sums to 1, and the pooled map
            (B, K, C).
        """
        keys = self.image_norm(self.image_projection(feature_map)).tanh().flatten(2)  # (B, c, h * w)
        queries = self.attribute_projection(attribute_embeds).tanh()  # (B, K, c)
        if self.channel_weights is None:
            return attend(attention_logits(keys, queries), feature_map)
        return attend(self._weighted(keys, queries).tanh(), feature_map)

    def _weighted(self, keys: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
        weights, bias = self.channel_weights.weight, self.channel_weights.bias  # (1, c, 1), (1,)
        if type(self.channel_weights) is not nn.Conv1d or weights.is_meta:
            # An adapter, or offloaded: the layer must be called.
            products = queries[..., None] * keys[:, None]  # (B, K, c, h * w)
            return self.channel_weights(products.flatten(0, 1)).view(*queries.shape[:2], -1)
        # sum_c w (T q) + b = T (w q) + b: the second convolution moves to the queries.
        return (queries * weights[:, :, 0]) @ keys + bias


class ChannelGate(nn.Module):
    """Attribute-aware channel attention: which of the pooled channels belong to an attribute.

    Args:
        channels (`int`): C.
        attribute_dim (`int`): P.
        reduction (`int`): the hidden layer has C / reduction units.
    """

    def __init__(self, channels: int, attribute_dim: int, reduction: int = 2):
        super().__init__()
        self.attribute_projection = nn.Linear(attribute_dim, attribute_dim)
        self.fc1 = nn.Linear(channels + attribute_dim, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, pooled: torch.Tensor, attribute_embeds: torch.Tensor) -> torch.Tensor:
        """Return the gate of every channel.

        Args:
            pooled (`torch.Tensor` of shape `(B, K, C)`): pooled maps.
            attribute_embeds (`torch.Tensor` of shape `(B, K, P)`): embeddings of the same attributes.

        Returns:
            `torch.Tensor` of shape `(B, K, C)`: factors in 0..1.
        """
        attributes = self.attribute_projection(attribute_embeds).relu()
        return self.fc2(self.fc1(torch.cat([pooled, attributes], dim=-1)).relu()).sigmoid()


__all__ = ["ChannelGate", "SpatialAttention", "attend", "attention_logits"]
