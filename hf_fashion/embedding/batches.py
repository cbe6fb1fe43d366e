"""Model + batches -> embeddings, for E2 and for transformers' CLIP alike."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm
from transformers import PreTrainedModel


def embed_batches(
    model: PreTrainedModel, batches: Iterable[dict[str, Tensor]], description: str = "embedding", progress: bool = True
) -> dict[str, Tensor]:
    """Embeds the images, the texts or both of every batch, in inference mode; the model's mode is restored.

    Args:
        model: an `E2Model` or a `transformers.CLIPModel` (not wrapped by DDP), on any device, in any float type.
        batches: dictionaries with `pixel_values` (B, 3, H, W), or `input_ids` and `attention_mask` (B, L), or all
            three, the same in every batch. Other entries are ignored. A dataloader will do.
        description: stands before the progress bar.
        progress: whether to show the bar.

    Returns:
        On the CPU, float32, L2-normalised: `image_embeds` (N, P) where there are images, `text_embeds` (N, P) where
        there are texts, and for a model with tag entities `region_embeds` (N, E, P) and, per fusion block i,
        `selections_i` int64 (N, E * n), the patches its selection tokens chose.

    Raises:
        ValueError: there is no batch, or a batch has neither images nor texts.
    """
    collected: dict[str, list[Tensor]] = {}
    with inference(model):
        for batch in tqdm(batches, desc=description, disable=not progress, leave=False):
            for name, rows in _embed(model, batch).items():
                collected.setdefault(name, []).append(rows.cpu())
    if not collected:
        raise ValueError("`batches` is empty: there is nothing to embed")
    return {name: torch.cat(rows) for name, rows in collected.items()}


def has_regions(model: PreTrainedModel) -> bool:
    """Whether the model has tag entities and so region embeddings, as E2 has and CLIP has not."""
    return bool(getattr(model.config, "tag_entities", None))


@contextmanager
def inference(model: PreTrainedModel) -> Iterator[None]:
    """Evaluation mode without gradients inside the block; the model's former mode after it."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def _embed(model: PreTrainedModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    if not {"pixel_values", "input_ids"} & set(batch):
        raise ValueError(f"a batch must hold `pixel_values` or `input_ids`, got {sorted(batch)}")
    rows = {}
    if "pixel_values" in batch:
        rows |= _embed_images(model, batch["pixel_values"].to(model.device, model.dtype))
    if "input_ids" in batch:
        text = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask") if name in batch}
        rows["text_embeds"] = _normalised(model.get_text_features(**text).pooler_output)
    return rows


def _embed_images(model: PreTrainedModel, pixel_values: Tensor) -> dict[str, Tensor]:
    # Not `forward`: Accelerate wraps that in autocast, and E2 would be judged in another precision than CLIP.
    vision = model.get_image_features(pixel_values=pixel_values)
    rows = {"image_embeds": _normalised(vision.pooler_output)}
    if has_regions(model):
        tokens = model.vision_model.split_selection_tokens(vision.last_hidden_state)
        rows["region_embeds"] = _normalised(model.region_head(tokens))
        rows |= {f"selections_{i}": selection.indices for i, selection in enumerate(vision.selections)}
    return rows


def _normalised(embeds: Tensor) -> Tensor:
    return normalize(embeds.float(), dim=-1)  # in float32: bfloat16 loses the length at the third digit
