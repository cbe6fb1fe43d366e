"""Cosines in float32 or better, even under autocast, for losses and exact search."""

import torch
from torch.nn.functional import normalize


def unit_rows(embeds: torch.Tensor) -> torch.Tensor:
    """Normalise rows to length 1, in float32 or better.

    Args:
        embeds (`torch.Tensor` of shape `(..., d)`): floating point. A row of zeros stays zero.
    """
    return normalize(embeds.to(torch.promote_types(embeds.dtype, torch.float32)), dim=-1)


def paired_cosines(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return the cosine of row i with row i, in [-1, 1], of shape `(...)`.

    Args:
        left (`torch.Tensor` of shape `(..., d)`): floating point.
        right (`torch.Tensor` of shape `(..., d)`): as `left`.
    """
    return (unit_rows(left) * unit_rows(right)).sum(-1)


def all_cosines(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return the cosine of every row with every column, in [-1, 1], of shape `(N, M)`; float32 or better.

    Args:
        rows (`torch.Tensor` of shape `(N, d)`): floating point.
        columns (`torch.Tensor` of shape `(M, d)`): on the device of `rows`.
    """
    rows, columns = unit_rows(rows), unit_rows(columns)
    with torch.autocast(rows.device.type, enabled=False):
        return rows @ columns.T.to(rows.dtype)
