"""Nested states of a run as one safetensors file: reading one runs no code, which unpickling would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file


STRUCTURE = "structure"
PLAIN = (str, int, float, bool, type(None))


def save_nested(values: Any, path: Path) -> None:
    """Save nested values: the tensors as safetensors, the structure around them as JSON in the same file.

    Args:
        values (`Any`): dicts with keys of text or int, lists, tuples, texts, numbers, `None` and tensors.
        path (`Path`): a `.safetensors` file.

    Raises:
        TypeError: if there is a value of another kind.
    """
    tensors: dict[str, torch.Tensor] = {}
    structure = json.dumps(_packed(values, tensors))
    save_file(tensors, path, metadata={STRUCTURE: structure})


def load_nested(path: Path) -> Any:
    """Load what `save_nested` saved, with tensors on the CPU.

    Args:
        path (`Path`): the file.

    Raises:
        ValueError: if the file is of another kind.
    """
    with safe_open(path, "pt") as file:
        structure = (file.metadata() or {}).get(STRUCTURE)
        if structure is None:
            raise ValueError(f"{path} has no {STRUCTURE!r} in its metadata: it is not a state of a training run.")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  safe_open has no iteration
    try:
        return _unpacked(json.loads(structure), tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: its structure is not one of `save_nested` ({error!r}).") from error


def _packed(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """What JSON can hold; a list of the kind and the content stands for all but plain values."""
    if isinstance(value, torch.Tensor):
        name = f"{len(tensors)}"
        # A copy, since safetensors refuses tensors that share memory.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return ["tensor", name]
    if isinstance(value, Mapping):
        pairs = [[_checked_key(key), _packed(inner, tensors)] for key, inner in value.items()]
        return ["dict", pairs]
    if isinstance(value, (list, tuple)):
        return ["tuple" if isinstance(value, tuple) else "list", [_packed(inner, tensors) for inner in value]]
    if isinstance(value, PLAIN):
        return value
    raise TypeError(f"a checkpoint cannot hold {value!r} of type {type(value).__name__}")


def _checked_key(key: Any) -> str | int:
    if type(key) not in (str, int):
        raise TypeError(f"a checkpoint cannot hold a dict with the key {key!r}: keys are texts or ints")
    return key


def _unpacked(packed: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(packed, list):
        return packed
    kind, content = packed
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpacked(inner, tensors) for key, inner in content}
    inner = [_unpacked(value, tensors) for value in content]
    return tuple(inner) if kind == "tuple" else inner
