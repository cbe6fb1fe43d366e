"""Ranking metrics as pure functions; the folders next to them hold `evaluate` modules that call these."""

from .attribute_map import attribute_map, average_precisions, expected_average_precisions
from .ceilings import precision_ceiling, recall_ceiling, relevant_recall_ceiling
from .cross_modal import cross_modal_recall, sample_cross_modal_recall, sample_recall
from .ranking import (
    matches_per_query,
    mean_average_precision,
    precision_at_k,
    recall_at_k,
    relevant_recall_at_k,
)
from .token_similarity import TokenEmbeds, chunked_token_similarity, token_similarity


__all__ = [
    "TokenEmbeds",
    "attribute_map",
    "average_precisions",
    "chunked_token_similarity",
    "cross_modal_recall",
    "expected_average_precisions",
    "matches_per_query",
    "mean_average_precision",
    "precision_at_k",
    "precision_ceiling",
    "recall_at_k",
    "recall_ceiling",
    "relevant_recall_at_k",
    "relevant_recall_ceiling",
    "sample_cross_modal_recall",
    "sample_recall",
    "token_similarity",
]
