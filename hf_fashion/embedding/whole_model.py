"""Load models whose every weight is in their checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoModel, PreTrainedModel


def load_whole(path_or_id: str | Path, model_class: type = AutoModel, **kwargs: Any) -> PreTrainedModel:
    """Load a model, and raise if its checkpoint lacks weights, which transformers fills with random numbers.

    Weights are safetensors; pickles are not read.

    Args:
        path_or_id (`str` or `Path`): a folder or the id of a model on the Hub.
        model_class (`type`, *optional*, defaults to `AutoModel`): class to load.
        kwargs (`Any`): as for `from_pretrained`. `trust_remote_code` is `False` if it is not given; nobody is asked.

    Raises:
        OSError: there is no such model, or it has no safetensors.
        ValueError: weights are missing; they are named.
    """
    options = {"trust_remote_code": False, **kwargs, "use_safetensors": True, "output_loading_info": True}
    model, info = model_class.from_pretrained(path_or_id, **options)
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(
            f"{path_or_id} lacks {len(missing)} of the weights of {type(model).__name__}, such as "
            f"{', '.join(missing[:3])}: they would be random numbers. Save the whole model there again, or load a "
            "checkpoint that has been trained as this kind of model"
        )
    return model
