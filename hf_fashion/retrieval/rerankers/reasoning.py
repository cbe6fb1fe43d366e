"""FR, the re-ranker with weights, as a function of embeddings."""

from __future__ import annotations

import logging

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...embedding.fingerprint import weights_of


FR_TYPE = "feature_reasoning"

logger = logging.getLogger(__name__)


class ReasoningReranker:
    """Re-rank with a FeatureReasoningModel, on its own device.

    Args:
        model (`FeatureReasoningModel`): the model. It is put into evaluation mode while it re-ranks.

    Raises:
        ValueError: `model` is not a FeatureReasoningModel.
    """

    def __init__(self, model: PreTrainedModel):
        if model.config.model_type != FR_TYPE:
            raise ValueError(f"`reranker` must be a FeatureReasoningModel, got {type(model).__name__}")
        self.model = model
        self.num_candidates = model.config.num_candidates

    @property
    def embedder_fingerprints(self) -> list[str]:
        """Fingerprints of the embedding model that FR was trained with; empty for an FR that does not name it."""
        return getattr(self.model.config, "embedder_fingerprints", None) or []

    def check_embedder(self, fingerprint: str | None) -> None:
        """Raise if FR was trained with another embedding model; warn if that cannot be known.

        Args:
            fingerprint (`str`, *optional*): of the model whose embeddings are to be re-ranked, if it is known.

        Raises:
            ValueError: FR was trained with another model.
        """
        known = self.embedder_fingerprints
        if not known or fingerprint is None:
            silent = "the gallery does not name its embedding model" if known else "the FR does not name its one"
            logger.warning(
                "It is not checked that the FR was trained with the embedding model that it re-ranks for: %s. FR "
                "learns the neighbourhoods of one model, and is of no use for another.",
                silent,
            )
        elif weights_of(fingerprint) not in known:
            raise ValueError(
                f"the FR was trained to re-rank the searches of {known[0]}, these are of {weights_of(fingerprint)}: "
                "FR learns the neighbourhoods of one embedding model. Use an FR that was trained with this model, or "
                "the gallery of the FR's model"
            )

    def to(self, device: torch.device) -> None:
        """Move the model.

        Args:
            device (`torch.device`): device to re-rank on.
        """
        self.model.to(device)

    @torch.no_grad()
    def __call__(self, query_embeds: Tensor, candidate_embeds: Tensor, candidate_mask: Tensor) -> Tensor:
        """Return scores of the candidates.

        Args:
            query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries.
            candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates, the best first.
            candidate_mask (`torch.Tensor` of shape `(Q, k)`): bool, False where a list has ended.

        Returns:
            `torch.Tensor` of shape `(Q, k)`: scores, higher is better, on the device of `query_embeds`.
        """
        lists = (given.to(self.model.device) for given in (query_embeds, candidate_embeds, candidate_mask))
        was_training = self.model.training
        try:
            return self.model.eval().rerank(*lists).to(query_embeds.device)
        finally:
            self.model.train(was_training)
