"""FR, the re-ranker with weights, as a function of embeddings."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel


FR_TYPE = "feature_reasoning"


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
