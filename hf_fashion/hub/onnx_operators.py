"""Translate operators of torch that its ONNX exporter does not know: a stable sort, and the running minimum."""

from __future__ import annotations

from collections.abc import Callable

import torch


def operator_translations() -> dict[Callable, Callable]:
    """Return the `custom_translation_table` of `torch.onnx.export` for the operators of FR.

    Raises:
        ImportError: onnxscript is missing.
    """
    from onnxscript import opset18 as op

    def stable_sort(similarities, *, stable=None, dim=-1, descending=False):
        # Of equal values TopK takes that of the lower index first: its order is that of a stable sort.
        length = op.Shape(similarities, start=dim, end=dim + 1 or None)
        return op.TopK(similarities, length, axis=dim, largest=int(descending), sorted=1)

    def running_minimum(values, dim):
        # FR takes it along the last dimension (k,): the least of each row of a lower triangle (k, k).
        length = op.Shape(values, start=-1)
        square = op.Concat(length, length, axis=0)
        earlier = op.Cast(op.Trilu(op.Expand(op.Constant(value_float=1.0), square), upper=0), to=_BOOL)
        infinity = op.CastLike(op.Constant(value_float=float("inf")), values)
        rows = op.Where(earlier, op.Unsqueeze(values, op.Constant(value_ints=[-2])), infinity)  # (..., k, k)
        places = op.ArgMin(rows, axis=-1, keepdims=0)
        return op.ReduceMin(rows, op.Constant(value_ints=[-1]), keepdims=0), places

    return {torch.ops.aten.sort.stable: stable_sort, torch.ops.aten.cummin.default: running_minimum}


_BOOL = 9  # onnx.TensorProto.BOOL
