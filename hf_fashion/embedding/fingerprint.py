"""Identifies a model by its weights: vectors of different models cannot be compared."""

import hashlib
import json
from typing import Any

import torch
from transformers import PreTrainedModel


# Fields of a configuration that change without a change of what the model computes.
NOT_ARCHITECTURE = {
    "_name_or_path",
    "architectures",
    "auto_map",
    "custom_pipelines",
    "dtype",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "transformers_version",
}


def model_fingerprint(model: PreTrainedModel) -> str:
    """Return the model's class and a hash of its configuration and weights, such as `"E2Model-5f0c9a41e2d7b683"`.

    It is the same in every process, on every device and after saving and loading. Another float type gives another
    fingerprint, as it gives other embeddings.

    Args:
        model (`PreTrainedModel`): not wrapped (by DDP, say); its weights are read one tensor at a time.
    """
    # Only what differs from the defaults: a newer transformers may add fields.
    architecture = _without(json.loads(json.dumps(model.config.to_diff_dict())))
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return f"{type(model).__name__}-{digest.hexdigest()[:16]}"


def _without(value: Any) -> Any:
    """The configuration, and those inside it, without these fields."""
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if name not in NOT_ARCHITECTURE}
    return value
