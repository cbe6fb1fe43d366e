"""Average query expansion: the first candidates are averaged into the query and re-ordered by their cosine with it.

`plain` is AQE (Chum et al., "Total Recall", ICCV 2007), `decayed` AQEwD (Gordo et al., "End-to-end Learning of Deep
Visual Representations for Image Retrieval", IJCV 2017), `alpha` alpha-QE (Radenovic et al., "Fine-tuning CNN Image
Retrieval with No Human Annotation", TPAMI 2019).
"""

import math
from typing import Literal, get_args

import torch

from ...losses.cosine import paired_cosines, unit_rows


Weighting = Literal["plain", "decayed", "alpha"]


def query_expansion(
    query_embeds: torch.Tensor,
    candidate_embeds: torch.Tensor,
    candidate_mask: torch.Tensor | None = None,
    number: int = 5,
    weighting: Weighting = "plain",
    alpha: float = 3.0,
) -> torch.Tensor:
    """Score candidates by their cosines with the expanded query, see [`expanded_queries`].

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings; they need not be normalised.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates, the best first.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has ended.
        number (`int`): candidates that join the query, at least 1; a shorter list joins with all it has.
        weighting (`str`): one of `"plain"`, `"decayed"`, `"alpha"`.
        alpha (`float`): exponent of `"alpha"`, above 0.

    Returns:
        `torch.Tensor` of shape `(Q, k)`: in [-1, 1], higher is better; -inf where masked. Float32 at least.

    Raises:
        ValueError: shapes or settings are not as above.
    """
    candidate_mask = checked_mask(query_embeds, candidate_embeds, candidate_mask)
    expanded = expanded_queries(query_embeds, candidate_embeds, candidate_mask, number, weighting, alpha)
    scores = paired_cosines(expanded[:, None], candidate_embeds)  # (Q, k)
    return scores.masked_fill(~candidate_mask, -math.inf)


def expanded_queries(
    query_embeds: torch.Tensor,
    candidate_embeds: torch.Tensor,
    candidate_mask: torch.Tensor | None = None,
    number: int = 5,
    weighting: Weighting = "plain",
    alpha: float = 3.0,
) -> torch.Tensor:
    """Expand queries by their first candidates: unit vectors along `q + sum_i w_i c_i`.

    The sum is over the first candidates i = 1..N; q and c have length 1.
    `w_i` is 1 (`"plain"`), `1 - i / (N + 1)` (`"decayed"`, also where a list is shorter than N) or
    `max(0, cos(q, c_i)) ** alpha` (`"alpha"`).

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): as in [`query_expansion`], like all others.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates, the best first.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has ended.
        number (`int`): N.
        weighting (`str`): which `w_i`.
        alpha (`float`): exponent of `"alpha"`.

    Returns:
        `torch.Tensor` of shape `(Q, d)`: of length 1, in float32 at least.

    Raises:
        ValueError: shapes or settings are not as in [`query_expansion`].
    """
    candidate_mask = checked_mask(query_embeds, candidate_embeds, candidate_mask)
    if number < 1:
        raise ValueError(f"`number` must be at least 1, got {number}")
    if weighting not in get_args(Weighting):
        raise ValueError(f"`weighting` must be one of {get_args(Weighting)}, got {weighting!r}")
    ended = ~candidate_mask[:, :number, None]
    first = unit_rows(candidate_embeds[:, :number].masked_fill(ended, 0))  # (Q, N, d), zeros join without weight
    cosines = paired_cosines(query_embeds[:, None], first)  # (Q, N)
    weights = _weights(cosines, number, weighting, alpha)
    return unit_rows(unit_rows(query_embeds) + (weights[..., None] * first).sum(-2))


def checked_mask(
    query_embeds: torch.Tensor, candidate_embeds: torch.Tensor, candidate_mask: torch.Tensor | None
) -> torch.Tensor:
    """Check the shapes of a re-ranker's call and return its mask, bool `(Q, k)`; all True where there is none.

    Args:
        query_embeds (`torch.Tensor` of shape `(Q, d)`): embeddings of the queries.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): each query's candidates.
        candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has ended.

    Raises:
        ValueError: the shapes are not (Q, d), (Q, k, d) and (Q, k), or the mask is not bool.
    """
    if query_embeds.ndim != 2:
        raise ValueError(f"`query_embeds` must have shape (Q, d), got {tuple(query_embeds.shape)}")
    if candidate_embeds.ndim != 3 or candidate_embeds.shape[::2] != query_embeds.shape:
        queries, width = query_embeds.shape
        raise ValueError(
            f"`candidate_embeds` must have shape ({queries}, k, {width}), a list for each row of `query_embeds`, "
            f"got {tuple(candidate_embeds.shape)}"
        )
    places = candidate_embeds.shape[:2]
    if candidate_mask is None:
        return torch.ones(places, dtype=torch.bool, device=candidate_embeds.device)
    if candidate_mask.shape != places or candidate_mask.dtype != torch.bool:
        raise ValueError(
            f"`candidate_mask` must be bool with shape {tuple(places)}, a place for each candidate, got "
            f"{candidate_mask.dtype} {tuple(candidate_mask.shape)}"
        )
    return candidate_mask


def _weights(cosines: torch.Tensor, number: int, weighting: Weighting, alpha: float) -> torch.Tensor:
    if weighting == "alpha":
        return cosines.clamp(min=0) ** alpha
    if weighting == "decayed":
        return 1 - torch.ones_like(cosines).cumsum(-1) / (number + 1)
    return torch.ones_like(cosines)
