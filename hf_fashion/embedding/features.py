"""A model and its inputs -> features of photos and texts, for E2, CLIP, SigLIP and attribute-specific models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize, pad
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput

from ..data.photos.photo_processing import process_photo
from ..models.e2.texts_e2 import max_tokens, reads_full_length, text_options
from ..texts import tokenize
from .capabilities import attribute_names


# What a model may take of a photo; only attribute-specific models take more than the first.
IMAGE_INPUTS = ("pixel_values", "source_pixel_values", "source_sizes")
TEXT_INPUTS = ("input_ids", "attention_mask")


def require_batch_size(batch_size: int) -> None:
    """Raise if inputs cannot be embedded in batches of this size: of a negative one, nothing would be embedded.

    Args:
        batch_size (`int`): inputs a forward pass.

    Raises:
        ValueError: it is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"`batch_size`, the inputs of a forward pass, must be at least 1, got {batch_size}")


def photo_inputs(image_processor: BaseImageProcessor, photos: Iterable[Image.Image]) -> dict[str, Tensor]:
    """Return the model's inputs for B photos, on the CPU.

    Photos are processed one at a time, so that a generator that decodes them holds one of them in full size.

    Args:
        image_processor (`BaseImageProcessor`): the model's.
        photos (`Iterable[PIL.Image.Image]`): B photos in RGB.
    """
    # By `map`, which lets go of a photo before it asks for the next one: a loop's variable would hold it meanwhile.
    return joined_inputs(list(map(partial(_inputs_of_one, image_processor), photos)))


def joined_inputs(inputs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Join the inputs of B photos, padded at right and bottom to the largest, as image processors pad.

    Args:
        inputs (`Sequence[dict[str, torch.Tensor]]`): B of one photo each, tensors `(1, ..., H, W)`.
    """
    return {name: _padded([photo[name] for photo in inputs]) for name in inputs[0]}


def _inputs_of_one(image_processor: BaseImageProcessor, photo: Image.Image) -> dict[str, Tensor]:
    inputs = process_photo(image_processor, photo, return_tensors="pt")
    return {name: inputs[name] for name in IMAGE_INPUTS if name in inputs}


def _padded(photos: Sequence[Tensor]) -> Tensor:
    height, width = (max(photo.shape[side] for photo in photos) for side in (-2, -1))
    return torch.cat([pad(photo, (0, width - photo.shape[-1], 0, height - photo.shape[-2])) for photo in photos])


def to_model(model: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Move inputs to the model's device, and pixels to its float type.

    Args:
        model (`nn.Module`): any model.
        inputs (`dict[str, torch.Tensor]`): its inputs.
    """
    weight = next(model.parameters())
    return {
        name: value.to(weight.device, weight.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
    }


def photo_features(model: nn.Module, inputs: dict[str, Tensor], attribute_ids: Tensor | None = None) -> Tensor:
    """Compute the features of B photos, as the model gives them, in float32.

    Attribute-specific models normalise their features themselves.

    Args:
        model (`nn.Module`): E2, CLIP, SigLIP, or an attribute-specific model.
        inputs (`dict[str, torch.Tensor]`): from [`photo_inputs`].
        attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`, *optional*): which attributes of which photo.
            Default: all A.

    Returns:
        `torch.Tensor` of shape `(B, P)`, for attribute-specific models `(B, K, D)`.

    Raises:
        ValueError: a feature is not a finite number.
    """
    inputs = to_model(model, inputs)
    if not attribute_names(model):
        return _finite(model.get_image_features(pixel_values=inputs["pixel_values"]).pooler_output.float())
    if attribute_ids is not None:
        attribute_ids = attribute_ids.to(inputs["pixel_values"].device)
    return _finite(model.get_attribute_features(attribute_ids=attribute_ids, **inputs).float())


def photo_and_region_features(model: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """Compute the features of B photos and of the regions of E tag entities in them, in one pass, in float32.

    Args:
        model (`PreTrainedModel`): E2.
        inputs (`dict[str, torch.Tensor]`): from [`photo_inputs`].

    Returns:
        `torch.Tensor` of shape `(B, 1 + E, P)`: those of the photo first.

    Raises:
        ValueError: a feature is not a finite number.
    """
    vision = model.get_image_features(pixel_values=to_model(model, inputs)["pixel_values"])
    return _finite(torch.cat([vision.pooler_output[:, None], region_features(model, vision)], dim=1).float())


def region_features(model: PreTrainedModel, vision: ModelOutput) -> Tensor:
    """Compute the features of the region of each tag entity: (B, E, P), as the model gives them.

    Args:
        model (`PreTrainedModel`): E2.
        vision (`ModelOutput`): of its `get_image_features`.
    """
    return model.region_head(model.vision_model.split_selection_tokens(vision.last_hidden_state))


def text_features(model: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """Compute the features of T texts, as the model gives them, in float32.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        inputs (`dict[str, torch.Tensor]`): from [`text_inputs`].

    Returns:
        `torch.Tensor` of shape `(T, P)`.

    Raises:
        ValueError: a feature is not a finite number.
    """
    inputs = {name: inputs[name].to(model.device) for name in TEXT_INPUTS if name in inputs}
    return _finite(model.get_text_features(**inputs).pooler_output.float())


def text_inputs(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int | None = None
) -> dict[str, Tensor]:
    """Tokenize texts, padded to the longest of them, or as far as the text tower needs.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        tokenizer (`PreTrainedTokenizerBase`): the model's.
        texts (`Sequence[str]`): T texts.
        max_length (`int`, *optional*): tokens that are read of a text. Default: as many as the model reads.

    Returns:
        `dict[str, torch.Tensor]`: `input_ids` and, but for SigLIP's text tower, `attention_mask` of shape `(T, L)`.

    Raises:
        ValueError: a text tower that reads texts of one length is to read shorter ones.
    """
    text_config, longest = model.config.text_config, max_text_length(model, tokenizer)
    limit = min(max_length or longest, longest)
    if limit < longest and reads_full_length(text_config):
        raise ValueError(
            f"this text tower reads texts padded to {longest} tokens, got a limit of {limit}: leave the limit out"
        )
    tokens = tokenize(tokenizer, texts, limit, return_tensors="pt", **text_options(text_config))
    return {name: tokens[name] for name in TEXT_INPUTS if name in tokens}


def max_text_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the number of tokens that are read of a text.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
        tokenizer (`PreTrainedTokenizerBase`): the model's.

    Raises:
        ValueError: neither of them states a length.
    """
    return max_tokens(tokenizer, model.config.text_config)


def unit_length(features: Tensor) -> Tensor:
    """L2-normalise features along their last dimension.

    Args:
        features (`torch.Tensor` of shape `(..., P)`): in any float type; bfloat16 is converted to float32 first,
            since its lengths are accurate only to about three digits.

    Returns:
        `torch.Tensor` of shape `(..., P)`: float32.
    """
    features = features.float()
    overflown = torch.linalg.vector_norm(features, dim=-1).isinf()  # the squares of numbers from 1e19 on
    if overflown.any():
        return normalize(features.double(), dim=-1).float()
    return normalize(features, dim=-1)


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Use evaluation mode without gradients inside the block, the model's former mode after it.

    Args:
        model (`nn.Module`): any model.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def _finite(features: Tensor) -> Tensor:
    if not features.isfinite().all():
        raise ValueError(
            "the model's features are not finite numbers: its weights are damaged, or too large for its float type. "
            "Load it in float32, or save it again"
        )
    return features
