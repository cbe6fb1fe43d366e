"""Fit the row of a new attribute on a handful of labelled photos (few-shot), in seconds, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from datasets import Dataset
from torch import Tensor
from tqdm.auto import tqdm
from transformers import BaseImageProcessor, PreTrainedModel

from ...data.attributes.labels import AttributeLabels, describe_values, read_labels
from ...data.attributes.vocabulary import AttributeVocabulary, build_vocabulary, with_attributes
from ...data.column_map import ColumnMap
from ...data.samplers.pk_batches import LabelledRow, PKBatchSampler
from ...embedding.attribute_corpus import image_batches
from ...embedding.features import inference, require_batch_size
from ...losses.triplet import indexed_triplet_loss
from ...losses.triplet_indices import batch_triplets


MAX_PHOTOS = 2000  # whose maps are kept in memory: up to 1 MB each
STEPS, LEARNING_RATE = 200, 0.1
BATCH = {"values_per_group": 8, "images_per_value": 4}
MEASURED_BATCHES = 10  # on which the loss before and after is measured
TRIPLET_LIMIT = 20_000


@dataclass(frozen=True)
class FewShotReport:
    """What [`fit_attribute`] did. `str` of it is a sentence.

    Args:
        name (`str`): the attribute.
        photos (`int`): labelled photos that the row was fitted on.
        values (`int`): values that they have.
        rare (`dict[str, int]`): values that fewer than two photos have -> their number.
        loss_before (`float`): triplet loss of the photos with the row as it was.
        loss_after (`float`): the same with the fitted row.
        seconds (`float`): of all, of which most is the pass of the photos through the backbone.
    """

    name: str
    photos: int
    values: int
    rare: dict[str, int]
    loss_before: float
    loss_after: float
    seconds: float

    def __str__(self) -> str:
        losses = f"triplet loss {self.loss_before:.4f} before, {self.loss_after:.4f} after"
        photos = f"{self.photos:,} photos of {self.values} values"
        text = f"{self.name}: fitted on {photos} in {self.seconds:.1f} s; {losses}"
        if self.rare:
            rare = describe_values({self.name: self.rare})
            text += f"; values with fewer than two photos, from which no pair is learnt: {rare}"
        if self.loss_after >= self.loss_before:
            text += "; the photos have not helped: label more, or train the model on them"
        return text


def fit_attribute(
    model: PreTrainedModel,
    processor: BaseImageProcessor,
    dataset: Dataset,
    name: str,
    column_map: ColumnMap | None = None,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> FewShotReport:
    """Fit the row of an attribute on labelled photos, and leave all other weights as they are, bit for bit.

    The backbone's map of each photo is computed once. Then the row, and nothing else, is optimised by the triplet loss
    of the branch that sees the whole image, over P x K batches. It starts from the row among the model's that has
    the lowest loss: the attribute's own, which a text may have given, or that of another attribute; that one stays if
    the fit finds none that is better. A local branch reads the same row.

    Args:
        model (`PreTrainedModel`): ASEN, ASEN++, CSN, RPF or IPAD that has the attribute, by `model.add_attribute`.
        processor (`BaseImageProcessor`): the model's image processor.
        dataset (`Dataset`): rows with photos and labels, of which the labelled ones are used.
        name (`str`): the attribute. Without values in the model's configuration it gets those of the photos.
        column_map (`ColumnMap`, *optional*): columns of the photo and of the attribute. Default: `image`, and the
            attribute's own name.
        batch_size (`int`, *optional*, defaults to 64): photos a forward pass.
        seed (`int`, *optional*, defaults to 0): seed of the batches.
        progress (`bool`, *optional*, defaults to `True`): whether to show bars.

    Returns:
        `FewShotReport`: what was done.

    Raises:
        ValueError: the model or the columns lack the attribute, a label is none of its values, no triplet can be
            formed of the photos, they are more than `MAX_PHOTOS`, or `batch_size` is below 1. The model is then as it
            was.
    """
    require_batch_size(batch_size)
    start = time.monotonic()
    column_map = column_map or ColumnMap(attributes={name: name})
    labels, wanted = _labelled(model, dataset, name, column_map)
    sampler = PKBatchSampler(labels, STEPS, **BATCH, seed=seed)
    maps = _maps(model, processor, dataset, wanted, column_map.image, batch_size, progress)
    with _evaluation_mode(model):
        measured = list(PKBatchSampler(labels, MEASURED_BATCHES, **BATCH, seed=seed + 1))
        rows = model.attribute_rows().float()
        losses = _losses(model, maps, rows, measured, batch_size)
        best = rows[losses.argmin()]
        row = _optimised(model, maps, best, sampler, progress)
        after = _losses(model, maps, row[None], measured, batch_size).item()
        if after >= losses.min():
            row, after = best, losses.min().item()
    place = list(model.config.attribute_names).index(name)
    model.set_attribute_row(name, row)
    model.config.attribute_values = model.config.attribute_values | labels.vocabulary.attribute_values
    rare = labels.rare_values().get(name, {})
    used = int(labels.carries.any(dim=0).sum())
    return FewShotReport(name, len(labels), used, rare, losses[place].item(), after, time.monotonic() - start)


def _labelled(
    model: PreTrainedModel, dataset: Dataset, name: str, column_map: ColumnMap
) -> tuple[AttributeLabels, Tensor]:
    """The labels of the rows that are labelled for the attribute, and which rows these are: bool (N, 1)."""
    if name not in model.config.attribute_names:
        raise ValueError(
            f"the model has no attribute {name!r}, it has {', '.join(model.config.attribute_names)}: add it first, "
            f"with model.add_attribute({name!r}, values=[...])"
        )
    column_map = with_attributes(column_map, [name])
    values = model.config.attribute_values[name]
    vocabulary = AttributeVocabulary([name], {name: values}) if values else build_vocabulary(dataset, column_map)
    labels = read_labels(dataset, column_map, vocabulary)
    rows = labels.labelled[:, 0].nonzero().flatten()
    if len(rows) > MAX_PHOTOS:
        raise ValueError(
            f"{len(rows):,} photos are labelled with {name!r}, and at most {MAX_PHOTOS:,} are fitted on: select some "
            "(`dataset.shuffle(seed=0).select(range(500))`), or train the model on all"
        )
    return replace(labels, carries=labels.carries[rows]), labels.labelled


def _maps(
    model: PreTrainedModel,
    processor: BaseImageProcessor,
    dataset: Dataset,
    wanted: Tensor,
    image_column: str,
    batch_size: int,
    progress: bool,
) -> Tensor:
    """The backbone's map of every photo that is wanted, in their order: (photos, C, h, w)."""
    batches = image_batches(model, processor, dataset, wanted, image_column, batch_size)
    parts = []
    with inference(model), tqdm(total=int(wanted.sum()), desc="photos", disable=not progress, leave=False) as bar:
        for rows, _, inputs in batches:
            parts.append(model.encode_map(inputs["pixel_values"]))
            bar.update(len(rows))
    return torch.cat(parts)  # outside of the inference mode, so that gradients may pass


@contextmanager
def _evaluation_mode(model: PreTrainedModel) -> Iterator[None]:
    """Neither dropout nor statistics of a batch may change the row."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _losses(
    model: PreTrainedModel, maps: Tensor, rows: Tensor, batches: Sequence[Sequence[LabelledRow]], batch_size: int
) -> Tensor:
    """The mean loss of the batches with each of some rows, (R,)."""
    with torch.no_grad():
        embeds = torch.cat([_embeds(model, part, rows) for part in maps.split(batch_size)])  # (N, R, d)
        losses = [
            torch.stack([_batch_loss(embeds[[item.row for item in batch], number], batch) for batch in batches]).mean()
            for number in range(len(rows))
        ]
    return torch.stack(losses)


def _optimised(model: PreTrainedModel, maps: Tensor, start: Tensor, sampler: PKBatchSampler, progress: bool) -> Tensor:
    row = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([row], LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, len(sampler))
    for batch in tqdm(sampler, desc="fitting", disable=not progress, leave=False):
        embeds = _embeds(model, maps[[item.row for item in batch]], row[None])[:, 0]
        (row.grad,) = torch.autograd.grad(_batch_loss(embeds, batch), row)  # and of no other weight
        optimiser.step()
        schedule.step()
    return row.detach()


def _embeds(model: PreTrainedModel, maps: Tensor, rows: Tensor) -> Tensor:
    """Embeddings of N maps for each of R rows: (N, R, d)."""
    return model.embed_map(maps, rows.to(maps.dtype).expand(len(maps), -1, -1)).float()


def _batch_loss(embeds: Tensor, batch: Sequence[LabelledRow]) -> Tensor:
    values = torch.tensor([item.value_id for item in batch])
    generator = torch.Generator().manual_seed(int(values.sum()) + len(values))
    triplets = batch_triplets(torch.zeros_like(values), values, TRIPLET_LIMIT, generator)
    return indexed_triplet_loss(embeds, triplets.to(embeds.device))
