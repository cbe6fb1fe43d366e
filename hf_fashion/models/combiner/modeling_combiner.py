"""Combiner: a photo and words that change it -> vectors to search by.

After the Combiner of Baldrati et al., "Effective conditioned and composed image retrieval combining CLIP-based
features", CVPR 2022: projections of both embeddings, joined by an MLP, give factors on the embeddings and a residual.
Two things differ: it works in several spaces at once, those of E2's regions, and it moves a query that is already
there, such as that of arithmetic, which it leaves as it is before it has learned.
Shapes: B queries, S spaces, embeddings of dimension d.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import dropout, relu
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs, can_return_tuple

from .configuration_combiner import CombinerConfig


@dataclass
class CombinerOutput(ModelOutput):
    """Output of [`CombinerModel`] for B queries.

    Args:
        query_embeds (`torch.Tensor` of shape `(B, S, d)`): what to search by. A product is scored by the sum of its
            inner products with them, over spaces; their lengths, the weights of the spaces, add up to 1.
        logit_scale (`torch.Tensor` of shape `()`): factor on the scores in the loss, above 0.
    """

    query_embeds: torch.Tensor | None = None
    logit_scale: torch.Tensor | None = None


class CombinerHead(nn.Linear):
    """Last layer of a combiner; it starts at zero, so that an untrained one changes no query."""


class CombinerPreTrainedModel(PreTrainedModel):
    """Base of the combiner: its configuration and its initial weights."""

    config: CombinerConfig
    base_model_prefix = "combiner"
    main_input_name = "photo_embeds"

    def get_input_embeddings(self) -> None:
        """There are none: the inputs are embeddings."""

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        """Initialise weights by torch's own rule, heads with zeros; biases are zero."""
        super()._init_weights(module)
        if isinstance(module, CombinerHead):
            init.zeros_(module.weight)
        elif isinstance(module, nn.Linear):
            init.kaiming_uniform_(module.weight, a=math.sqrt(5))
        elif isinstance(module, CombinerModel):
            init.constant_(module.logit_scale, self.config.logit_scale_init_value)


class CombinerModel(CombinerPreTrainedModel):
    """Moves what a photo with words is searched by, in each space by the same layers."""

    def __init__(self, config: CombinerConfig):
        config.validate_architecture()  # once more: `from_pretrained(folder, field=value)` sets fields later
        super().__init__(config)
        size = config.hidden_size
        self.photo_proj = nn.Linear(config.embed_dim, size)
        self.words_proj = nn.Linear(config.embed_dim, size)
        self.start_proj = nn.Linear(config.embed_dim, size)
        self.space_embeds = nn.Embedding(len(config.spaces), size)
        self.joined = nn.Linear(4 * size, size)
        self.factors = CombinerHead(size, 3)
        self.residual = CombinerHead(size, config.embed_dim)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init_value)))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        photo_embeds: torch.Tensor,
        words_embeds: torch.Tensor,
        start_embeds: torch.Tensor,
        **kwargs: Unpack[TransformersKwargs],
    ) -> CombinerOutput:
        """Combine photos with words.

        Args:
            photo_embeds (`torch.Tensor` of shape `(B, S, d)`): of the photo in each of `config.spaces`, of length 1.
            words_embeds (`torch.Tensor` of shape `(B, d)`): of what to change, of length 1.
            start_embeds (`torch.Tensor` of shape `(B, S, d)`): the query to move, as `query_embeds`; not all zero.

        Returns:
            `CombinerOutput`.

        Raises:
            ValueError: the shapes do not fit each other or the configuration.
        """
        self._check(photo_embeds, words_embeds, start_embeds)
        words = words_embeds[:, None].expand_as(photo_embeds)
        hidden = self._hidden(photo_embeds, words, start_embeds)
        of_start, of_photo, of_words = self.factors(hidden).split(1, dim=-1)  # (B, S, 1) each
        moved = (1 + of_start) * start_embeds + of_photo * photo_embeds + of_words * words + self.residual(hidden)
        lengths = torch.linalg.vector_norm(moved, dim=-1, keepdim=True)  # (B, S, 1)
        return CombinerOutput(query_embeds=moved / lengths.sum(1, keepdim=True), logit_scale=self.logit_scale.exp())

    def _hidden(self, photo: torch.Tensor, words: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """Join the inputs of each space: (B, S, H)."""
        parts = [self.photo_proj(photo), self.words_proj(words), self.start_proj(start)]
        spaces = self.space_embeds(torch.arange(photo.shape[1], device=photo.device))  # (S, H)
        spaces = spaces.expand(len(photo), -1, -1)  # (B, S, H)
        joined = torch.cat([*(self._dropped(relu(part)) for part in parts), spaces], dim=-1)
        return self._dropped(relu(self.joined(joined)))

    def _dropped(self, hidden: torch.Tensor) -> torch.Tensor:
        return dropout(hidden, self.config.dropout, self.training)

    def _check(self, photo: torch.Tensor, words: torch.Tensor, start: torch.Tensor) -> None:
        expected = (len(photo), len(self.config.spaces), self.config.embed_dim)
        if photo.shape != expected or start.shape != expected or words.shape != (expected[0], expected[2]):
            raise ValueError(
                "`photo_embeds` and `start_embeds` must be (B, S, d) and `words_embeds` (B, d), with the "
                f"{expected[1]} spaces {self.config.spaces} and d = {expected[2]}; got {tuple(photo.shape)}, "
                f"{tuple(start.shape)} and {tuple(words.shape)}."
            )


CombinerModel.register_for_auto_class()

__all__ = ["CombinerModel", "CombinerPreTrainedModel"]
