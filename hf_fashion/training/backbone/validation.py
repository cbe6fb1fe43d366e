"""The evaluation that a pretraining run repeats: accuracy by attribute."""

from collections.abc import Sequence

import torch
from tqdm.auto import tqdm
from transformers import PreTrainedModel

from ...embedding.features import inference
from .photos import ClassifierCollator, LabelledPhotos


def validate(
    model: PreTrainedModel,
    photos: LabelledPhotos,
    collator: ClassifierCollator,
    names: Sequence[str],
    num_values: Sequence[int],
    batch_size: int = 128,
) -> dict[str, float]:
    """Return the accuracy on the labelled photos of each attribute, and its mean over the attributes.

    Args:
        model (`PreTrainedModel`): gives logits of all values.
        photos (`LabelledPhotos`): N photos.
        collator (`ClassifierCollator`): makes the batches.
        names (`Sequence[str]`): the attributes.
        num_values (`Sequence[int]`): number of values of each attribute.
        batch_size (`int`, *optional*, defaults to 128): photos in a forward pass.

    Returns:
        `dict[str, float]`: `accuracy` and `{attribute}_accuracy`, in [0, 1]; 0 for an attribute without labels.
    """
    right = torch.zeros(len(names))
    with inference(model):
        for start in tqdm(range(0, len(photos), batch_size), desc="photos", leave=False):
            batch = collator([photos[row] for row in range(start, min(start + batch_size, len(photos)))])
            logits = model(pixel_values=batch["pixel_values"].to(model.device)).logits.cpu()
            answers = [part.argmax(1) for part in logits.split(list(num_values), dim=1)]
            right += (torch.stack(answers, dim=1) == batch["value_ids"]).sum(0)
    shares = right / (photos.value_ids >= 0).sum(0).clamp(min=1)
    by_name = {f"{name}_accuracy": share.item() for name, share in zip(names, shares, strict=True)}
    return {"accuracy": shares.mean().item(), **by_name}
