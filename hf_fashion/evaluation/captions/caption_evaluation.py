"""Evaluate a captioner: its captions of photos next to the true ones, and the tags that they name."""

from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from ...data.column_map import ColumnMap
from ...data.values import caption_texts, column_texts
from ...embedding.corpus import embed_images
from ...embedding.features import inference
from ...metrics.captions import caption_metrics, require_caption_metrics
from ...models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from ...models.captioner.processing_captioner import CaptionerProcessor
from ..options import CaptionOptions
from .said_tags import said_tag_accuracy


# Captions that are shown next to the true ones.
NUM_EXAMPLES = 10


def write_captions(
    model: CaptionerForConditionalGeneration,
    processor: CaptionerProcessor,
    image_embeds: Tensor,
    num_beams: int = 1,
    batch_size: int = 64,
) -> list[str]:
    """Write a caption of each photo.

    Args:
        model ([`CaptionerForConditionalGeneration`]): the captioner.
        processor ([`CaptionerProcessor`]): its processor.
        image_embeds (`torch.Tensor` of shape `(N, P)`): of the photos, by the captioner's embedding model.
        num_beams (`int`, *optional*, defaults to 1): captions that are followed at a time.
        batch_size (`int`, *optional*, defaults to 64): photos in a batch.
    """
    captions = []
    with inference(model):
        for embeds in image_embeds.split(batch_size):
            tokens = model.generate(image_embeds=embeds.to(model.device), num_beams=num_beams, do_sample=False)
            captions += processor.batch_decode(tokens, skip_special_tokens=True)
    return [caption.strip() for caption in captions]


def evaluate_captions(
    model: CaptionerForConditionalGeneration,
    processor: CaptionerProcessor,
    dataset: Dataset,
    column_map: ColumnMap,
    options: CaptionOptions,
    image_embeds: Tensor | None = None,
) -> dict[str, Any]:
    """Measure the captions of the photos of a split, against their true captions and tags.

    Args:
        model ([`CaptionerForConditionalGeneration`]): the captioner.
        processor ([`CaptionerProcessor`]): its processor.
        dataset (`Dataset`): rows with photos; those without a caption take no part.
        column_map (`ColumnMap`): names photo, caption and tags.
        options ([`CaptionOptions`]): how captions are written.
        image_embeds (`torch.Tensor` of shape `(N, P)`, *optional*): of all N rows. Default: computed here.

    Returns:
        `dict`: `captions`: `num_photos` and [`caption_metrics`]; `said_tags`: `entities` and [`said_tag_accuracy`],
        with `entity_true_captions`, the same accuracy of the true captions; `examples`.

    Raises:
        ImportError: the libraries of the metrics are missing.
        ValueError: the map names no caption, or no row has one.
    """
    if column_map.caption is None:
        raise ValueError("the column map names no `caption`: there is nothing to compare captions with")
    require_caption_metrics()  # before captions are written
    truth = caption_texts(dataset, column_map.caption)
    rows = [row for row, caption in enumerate(truth) if caption]
    if not rows:
        raise ValueError(f"no row has a caption in column {column_map.caption!r}")
    dataset, truth = dataset.select(rows), [truth[row] for row in rows]
    if image_embeds is None:
        embedded = embed_images(model.embedder, processor, dataset, column_map.image, options.batch_size)
        image_embeds = embedded["image_embeds"]
    else:
        image_embeds = image_embeds[torch.tensor(rows)]
    captions = write_captions(model, processor, image_embeds, options.num_beams, options.batch_size)
    return {
        "captions": {"num_photos": len(rows), **caption_metrics(captions, [[text] for text in truth])},
        "said_tags": _said_tags(captions, truth, dataset, column_map),
        "examples": [
            {"caption": said, "true_caption": true}
            for said, true in list(zip(captions, truth, strict=True))[:: max(1, len(rows) // NUM_EXAMPLES)]
        ],
    }


def _said_tags(captions: list[str], truth: list[str], dataset: Dataset, column_map: ColumnMap) -> dict[str, Any]:
    tags = {entity: column_texts(dataset, column) for entity, column in column_map.tags.items()}
    of_truth = said_tag_accuracy(truth, tags)
    ceilings = {f"{entity}_true_captions": of_truth[f"{entity}_accuracy"] for entity in tags}
    return {"entities": list(tags), **said_tag_accuracy(captions, tags), **ceilings}
