"""From a corpus to attribute-specific embeddings: every photo once, for the attributes that are asked of it."""

from collections.abc import Iterator, Sequence

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import BaseImageProcessor

from .batches import inference
from .corpus import first_view


IMAGE_INPUTS = ("pixel_values", "source_pixel_values", "source_sizes")


def embed_attributes(
    model: nn.Module,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    wanted: Tensor,
    attribute_ids: Sequence[int],
    image_column: str = "image",
    batch_size: int = 64,
    num_workers: int = 0,
    progress: bool = True,
) -> list[Tensor]:
    """Embeds photos for attributes; a photo passes the backbone once, for all attributes that are wanted of it.

    Args:
        model: with `get_attribute_features(pixel_values, attribute_ids, source_pixel_values, source_sizes)`, which
            gives (B, K, D).
        image_processor: gives `pixel_values`, and `source_pixel_values` and `source_sizes` where the model crops from
            the photo.
        dataset: N rows.
        wanted: bool (N, A); photos without an attribute are not read.
        attribute_ids: the model's ids of the A attributes.
        image_column: column of photos, an `Image` or a list of them, of which the first is taken.
        batch_size: photos a forward pass.
        num_workers: processes that decode photos beside this one.
        progress: whether to show a bar.

    Returns:
        For each attribute, the embeddings of its wanted rows in ascending order: float32 (rows, D) on the CPU.

    Raises:
        ValueError: the column is not in the dataset, or an attribute is wanted of no photo.
    """
    unwanted = (~wanted.any(dim=0)).nonzero().flatten().tolist()
    if unwanted:
        raise ValueError(f"no photo is asked for attributes {[attribute_ids[place] for place in unwanted]}")
    ids = torch.tensor(attribute_ids)
    rows_of: list[list[Tensor]] = [[] for _ in attribute_ids]
    embeds_of: list[list[Tensor]] = [[] for _ in attribute_ids]
    batches = image_batches(model, image_processor, dataset, wanted, image_column, batch_size, num_workers)
    total = wanted.any(dim=1).sum().item()
    with inference(model), tqdm(total=total, desc="photos", disable=not progress, leave=False) as bar:
        for rows, places, inputs in batches:
            embeds = model.get_attribute_features(attribute_ids=ids[places].to(_device(model)), **inputs).float().cpu()
            for attribute in places.unique().tolist():
                at = (places == attribute).nonzero(as_tuple=True)  # (photo of the batch, which of its K)
                rows_of[attribute].append(rows[at[0]])
                embeds_of[attribute].append(embeds[at])
            bar.update(len(rows))
    return [torch.cat(embeds)[torch.cat(rows).argsort()] for rows, embeds in zip(rows_of, embeds_of, strict=True)]


def image_batches(
    model: nn.Module,
    image_processor: BaseImageProcessor,
    dataset: Dataset,
    wanted: Tensor,
    image_column: str = "image",
    batch_size: int = 64,
    num_workers: int = 0,
) -> Iterator[tuple[Tensor, Tensor, dict[str, Tensor]]]:
    """Yields photos in batches of which each photo is asked for equally many attributes.

    Arguments as in `embed_attributes`.

    Returns:
        Iterator of: rows (B,), which columns of `wanted` each is asked for (B, K), and the model's image inputs on its
        device, pixels in its float type.

    Raises:
        ValueError: the column is not in the dataset.
    """
    if image_column not in dataset.column_names:
        raise ValueError(f"no column {image_column!r} for the photos, the corpus has {sorted(dataset.column_names)}")
    batches = _equal_batches(wanted, batch_size)

    def collate(rows: list[dict]) -> dict[str, Tensor]:
        photos = [first_view(row[image_column]).convert("RGB") for row in rows]
        processed = image_processor(photos, return_tensors="pt")
        return {name: processed[name] for name in IMAGE_INPUTS if name in processed}

    photos = dataset.select_columns(image_column)
    chosen = [rows.tolist() for rows, _ in batches]
    # Its own generator: starting a loader draws a number, and a resumed run must not depend on evaluations.
    generator = torch.Generator()
    loader = DataLoader(photos, batch_sampler=chosen, collate_fn=collate, num_workers=num_workers, generator=generator)
    dtype = next(model.parameters()).dtype
    for (rows, places), inputs in zip(batches, loader, strict=True):
        on_device = {
            name: value.to(_device(model), dtype if value.is_floating_point() else None)
            for name, value in inputs.items()
        }
        yield rows, places, on_device


def model_attribute_ids(model: nn.Module, names: Sequence[str]) -> list[int]:
    """The model's ids of attributes. Raises ValueError naming one that `model.config.attribute_names` has not."""
    known = list(model.config.attribute_names)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"the model has no attribute {unknown[0]!r}; it has {', '.join(known)}. Leave others out of the column map"
        )
    return [known.index(name) for name in names]


def _equal_batches(wanted: Tensor, batch_size: int) -> list[tuple[Tensor, Tensor]]:
    """(rows (B,), columns (B, K)) such that the photos of a batch have equally many wanted attributes."""
    batches = []
    counts = wanted.sum(dim=1)
    for count in range(1, wanted.shape[1] + 1):
        rows = (counts == count).nonzero().flatten()
        columns = wanted[rows].nonzero()[:, 1].view(-1, count)
        batches += zip(rows.split(batch_size), columns.split(batch_size), strict=True)
    return [(rows, columns) for rows, columns in batches if len(rows)]


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
