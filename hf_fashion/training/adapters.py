"""LoRA adapters by peft: what they adapt, what is trained whole next to them, and how they are saved."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedModel


if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel

ADAPTER_FOLDER = "adapter"
# In the names of the parameters that peft adds to a model: they are all that an adapter trains.
ADDED = (".lora_", ".modules_to_save.")
# With this `AutoPeftModel` loads the base by `AutoModel`, and so without a list of packages that it may import.
AUTO_MODEL = {"base_model_class": "AutoModel", "parent_library": "transformers"}


def check_lora(lora_r: int | None, start_from: str | None, changes: Mapping[str, Any]) -> None:
    """Raise `ValueError` if a recipe asks for an adapter of a model that nobody could add it to again.

    Args:
        lora_r (`int`, *optional*): `model.lora_r` of the recipe.
        start_from (`str`, *optional*): `model.start_from`.
        changes (`Mapping[str, Any]`): the other keys of `model` that would make another model than `start_from` is.
    """
    if lora_r is None:
        return
    if start_from is None:
        raise ValueError("`model.lora_r` adapts a trained model: name its folder or Hub id as `model.start_from`.")
    changed = [f"`model.{name}`" for name, value in changes.items() if value]
    if changed:
        raise ValueError(
            f"`model.lora_r` adapts `model.start_from` as it is, so that others can load the adapter on it: remove "
            f"{', '.join(changed)}."
        )


def lora_config(model: PreTrainedModel, r: int) -> "LoraConfig":
    """Return a LoRA configuration: adapters of rank r on the pretrained layers, the model's own parts trained whole.

    The layers are peft's defaults, which `import hf_fashion` registers, without the model's `lora_exclude_modules`.
    The parts are its `lora_modules_to_save`.

    Args:
        model (`PreTrainedModel`): an E2, an ASEN, an IPAD or a CLIP.
        r (`int`): the rank. Adapters are added with the weight 1 (`lora_alpha` is r).

    Raises:
        ImportError: if peft is not installed.
    """
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise ImportError('Adapters need peft: pip install "hf-fashion[peft]"') from error

    lists = {"modules_to_save": "lora_modules_to_save", "exclude_modules": "lora_exclude_modules"}
    return LoraConfig(r=r, lora_alpha=r, **{key: getattr(model, name, None) or None for key, name in lists.items()})


def add_adapter(model: PreTrainedModel, r: int) -> "PeftModel":
    """Add an adapter to a model, in place, and freeze the rest of it.

    The model keeps its class and its outputs; only names of parameters change, from `layer.weight` to
    `layer.base_layer.weight`. The result shares its parameters, and saves or merges them.

    Args:
        model (`PreTrainedModel`): loaded from a folder or a Hub id, which the adapter notes as its base.
        r (`int`): the rank.

    Raises:
        ImportError: if peft is not installed.
    """
    config = lora_config(model, r)
    from peft import get_peft_model

    return get_peft_model(model, config)


def added_by_adapter(model: PreTrainedModel) -> set[str]:
    """Return the names of the parameters that an adapter has added to a model; none if it has no adapter.

    Args:
        model (`PreTrainedModel`): the model.
    """
    return {name for name, _ in model.named_parameters() if any(mark in name for mark in ADDED)}


def save_merged(adapter: "PeftModel", folder: Path) -> PreTrainedModel:
    """Save a model with its adapter merged into it, for `from_pretrained`, and the adapter in `adapter/`.

    Args:
        adapter (`PeftModel`): from [`add_adapter`]; it is not changed.
        folder (`Path`): receives the files.

    Returns:
        `PreTrainedModel`: the merged model, a copy.
    """
    merged = deepcopy(adapter).merge_and_unload()
    merged.save_pretrained(folder)
    save_adapter(adapter, folder / ADAPTER_FOLDER)
    return merged


def save_adapter(adapter: "PeftModel", folder: Path) -> None:
    """Save an adapter as peft does, without its empty model card.

    Args:
        adapter (`PeftModel`): from [`add_adapter`].
        folder (`Path`): receives `adapter_config.json` and `adapter_model.safetensors`.
    """
    from peft import get_peft_model_state_dict
    from peft.utils import SAFETENSORS_WEIGHTS_NAME
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in get_peft_model_state_dict(adapter).items()}
    save_file(state, folder / SAFETENSORS_WEIGHTS_NAME, metadata={"format": "pt"})
    config = deepcopy(adapter.active_peft_config)
    config.inference_mode, config.target_modules = True, sorted(config.target_modules)
    if config.exclude_modules is not None:
        config.exclude_modules = sorted(config.exclude_modules)
    config.save_pretrained(folder, auto_mapping_dict=AUTO_MODEL)
