"""Identifies what embedded vectors: a model by its weights, and the processor and tokenizer of its inputs.

A fingerprint is `{class}-{weights}-v2-{image processor}-{tokenizer}`, the last part where there is a tokenizer. In
galleries made before version 2 it ends behind the weights.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import torch
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from ..images import PIXELS_VERSION
from ..texts import tokenize


logger = logging.getLogger(__name__)

VERSION = "-v2-"
# Settings of an image processor that change no pixel, or that only say where it comes from.
NOT_PIXELS = {"image_processor_type", "feature_extractor_type", "processor_class", "auto_map", "custom_pipelines"}
# Texts that tokenizers read differently: letter case, accents, numbers, unknown letters, words of several pieces.
PROBES = ("A red Summer-dress, 42 cm", "ÉTÉ café's 100% coton!!", "裙子 <|endoftext|> xyzzyzyx")

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
    "transformers.js_config",
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
    stored = (pair for name, tensor in sorted(model.state_dict().items()) for pair in _plain_tensors(name, tensor))
    for name, tensor in stored:
        if tensor.ndim == 0 and tensor.is_floating_point():
            tensor = tensor.float()  # a temperature, which is float32 after loading, whatever the model's float type
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return f"{type(model).__name__}-{digest.hexdigest()[:16]}"


def embedder_fingerprint(
    model: PreTrainedModel,
    processor: ProcessorMixin | BaseImageProcessor | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> str:
    """Return the fingerprint of a model together with what makes its inputs.

    Args:
        model (`PreTrainedModel`): as for [`model_fingerprint`].
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): the model's. Default: only the model counts.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): the model's, where `processor` has none.
    """
    weights = model_fingerprint(model)
    if processor is None:
        return weights
    parts = [_of_pixels(getattr(processor, "image_processor", processor))]
    tokenizer = getattr(processor, "tokenizer", tokenizer)
    if tokenizer is not None:
        parts.append(_of_tokens(tokenizer))
    return weights + VERSION + "-".join(parts)


def check_fingerprint(stored: str, found: str, place: str, hint: str = "") -> None:
    """Raise if vectors were embedded in another way than a model embeds; what one of both lacks is not compared.

    A gallery of before version 2 is compared by the weights only, and a warning says so.

    Args:
        stored (`str`): fingerprint of the gallery.
        found (`str`): fingerprint of the model, from [`embedder_fingerprint`].
        place (`str`): the gallery's URI, for the message.
        hint (`str`, *optional*): follows the message where the weights differ.

    Raises:
        ValueError: the weights, the image processor or the tokenizer differ.
    """
    (weights, *before), (own_weights, *now) = (_parts(one) for one in (stored, found))
    if weights != own_weights:
        raise ValueError(
            f"the gallery at {place} was embedded by {weights}, `model` is {own_weights}: their vectors cannot be "
            "compared. Load the gallery's model, in the float type that embedded it, or embed the catalogue again "
            f"into another folder{hint}"
        )
    if now and not before:
        logger.warning(
            "the gallery at %s was made when fingerprints held only the weights: its model is the same, but whether "
            "its image processor is cannot be checked. Embed the catalogue again to have both checked",
            place,
        )
    for what, one, other in zip(("image processor", "tokenizer"), before, now, strict=False):
        if one != other:
            raise ValueError(
                f"the gallery at {place} was embedded with another {what} than the one of `model`: the weights are "
                f"the same, but not the settings ({one} and {other}). Load the processor that was saved with the "
                "gallery's model, or embed the catalogue again into another folder"
            )


def weights_of(fingerprint: str) -> str:
    """Return the part of a fingerprint that [`model_fingerprint`] gives.

    Args:
        fingerprint (`str`): from [`embedder_fingerprint`] or [`model_fingerprint`].
    """
    return _parts(fingerprint)[0]


def _parts(fingerprint: str) -> list[str]:
    """The weights, and the image processor and the tokenizer where the fingerprint covers them."""
    weights, _, rest = fingerprint.partition(VERSION)
    return [weights, *filter(None, rest.split("-"))]


def _plain_tensors(name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield a tensor, or those that it is made of, as int8 weights are."""
    if not hasattr(tensor, "__tensor_flatten__"):
        yield name, tensor
        return
    for part in tensor.__tensor_flatten__()[0]:
        yield from _plain_tensors(f"{name}.{part}", getattr(tensor, part))


def _of_pixels(image_processor: BaseImageProcessor) -> str:
    # Settings that are not set are left out: a newer transformers may add some.
    settings = {
        name: value
        for name, value in json.loads(json.dumps(image_processor.to_dict(), default=str)).items()
        if name.lstrip("_") not in NOT_PIXELS and value is not None
    }
    settings["pixels_version"] = PIXELS_VERSION
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _of_tokens(tokenizer: PreTrainedTokenizerBase) -> str:
    # By what it does, since the format of its file changes from version to version.
    vocabulary, probes = sorted(tokenizer.get_vocab().items()), tokenize(tokenizer, PROBES, 77)["input_ids"]
    return hashlib.sha256(json.dumps([vocabulary, probes]).encode()).hexdigest()[:16]


def _without(value: Any) -> Any:
    """The configuration, and those inside it, without these fields."""
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if name not in NOT_ARCHITECTURE}
    return value
