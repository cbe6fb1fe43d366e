"""Batches of a model's inputs -> embeddings of photos, regions and texts, for E2, FILIP and transformers' CLIP."""

from collections.abc import Iterable

import torch
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedConfig, PreTrainedModel

from ..metrics import TokenEmbeds
from .capabilities import check_supported, compares_tokens, entity_names
from .features import TEXT_INPUTS, inference, region_features, text_features, unit_length


def embed_batches(
    model: PreTrainedModel, batches: Iterable[dict[str, Tensor]], description: str = "embedding", progress: bool = True
) -> dict[str, Tensor | TokenEmbeds]:
    """Embed the images, the texts or both of every batch, in inference mode; the model's mode is restored.

    Args:
        model (`PreTrainedModel`): an `E2Model`, a `FilipModel`, or a `CLIPModel` or `SiglipModel` of transformers
            (not wrapped by DDP), on any device, in any float type.
        batches (`Iterable[dict[str, torch.Tensor]]`): with `pixel_values` (B, 3, H, W), or what a tokenizer gives
            for texts (B, L), or both, the same in every batch. Other entries are ignored.
        description (`str`, *optional*, defaults to `"embedding"`): label of the progress bar.
        progress (`bool`, *optional*, defaults to `True`): whether to show the bar.

    Returns:
        On the CPU, float32, L2-normalised: `image_embeds` (N, P) where there are images, `text_embeds` (N, P) where
        there are texts, and for a model with tag entities `region_embeds` (N, E, P) and, per fusion block i,
        `selections_i` int64 (N, E * n), the patches its selection tokens chose. For a FILIP `image_embeds` and
        `text_embeds` are `TokenEmbeds`, which metrics compare token by token.

    Raises:
        ValueError: the model is not supported, there is no batch, or a batch has neither images nor texts.
    """
    check_measurable(model.config)
    collected: dict[str, list[Tensor | TokenEmbeds]] = {}
    with inference(model):
        for batch in tqdm(batches, desc=description, disable=not progress, leave=False):
            for name, rows in _embed(model, batch).items():
                collected.setdefault(name, []).append(rows.cpu())
    if not collected:
        raise ValueError("`batches` is empty: there is nothing to embed")
    return {name: _joined(rows) for name, rows in collected.items()}


def check_measurable(config: PreTrainedConfig) -> None:
    """Raise if a model is none whose embeddings can be measured: one that this package embeds with, or a FILIP.

    Args:
        config (`PreTrainedConfig`): the model's configuration.

    Raises:
        ValueError: the model is of another type.
    """
    if not compares_tokens(config):
        check_supported(config)


def has_regions(model: PreTrainedModel) -> bool:
    """Return whether the model has tag entities and so region embeddings, as E2 has and CLIP has not.

    Args:
        model (`PreTrainedModel`): E2, CLIP or SigLIP.
    """
    return bool(entity_names(model))


def _joined(rows: list[Tensor] | list[TokenEmbeds]) -> Tensor | TokenEmbeds:
    return TokenEmbeds.cat(rows) if isinstance(rows[0], TokenEmbeds) else torch.cat(rows)


def _embed(model: PreTrainedModel, batch: dict[str, Tensor]) -> dict[str, Tensor | TokenEmbeds]:
    if not {"pixel_values", "input_ids"} & set(batch):
        raise ValueError(f"a batch must hold `pixel_values` or `input_ids`, got {sorted(batch)}")
    rows, tokens = {}, compares_tokens(model.config)
    if "pixel_values" in batch:
        rows |= _embed_images(model, batch["pixel_values"].to(model.device, model.dtype))
    if "input_ids" in batch:
        rows["text_embeds"] = _text_tokens(model, batch) if tokens else unit_length(text_features(model, batch))
    return rows


def _text_tokens(model: PreTrainedModel, batch: dict[str, Tensor]) -> TokenEmbeds:
    inputs = {name: batch[name].to(model.device) for name in TEXT_INPUTS if name in batch}
    embeds = model.embed_text_tokens(model.get_text_features(**inputs))
    return TokenEmbeds(unit_length(embeds), model.real_tokens(**inputs))


def _embed_images(model: PreTrainedModel, pixel_values: Tensor) -> dict[str, Tensor]:
    # Not `forward`, for which CLIP needs texts, and which Accelerate wraps in autocast outside our trainings too.
    vision = model.get_image_features(pixel_values=pixel_values)
    if compares_tokens(model.config):
        embeds = unit_length(model.embed_image_tokens(vision))
        return {"image_embeds": TokenEmbeds(embeds, torch.ones_like(embeds[..., 0], dtype=torch.bool))}
    rows = {"image_embeds": unit_length(vision.pooler_output)}
    if has_regions(model):
        rows["region_embeds"] = unit_length(region_features(model, vision))
        rows |= {f"selections_{i}": selection.indices for i, selection in enumerate(vision.selections)}
    return rows
