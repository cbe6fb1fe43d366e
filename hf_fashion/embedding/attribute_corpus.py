"""Photos of a corpus -> attribute-specific embeddings: every photo once, for the attributes asked of it."""

from collections.abc import Iterator, Sequence

import torch
from datasets import Dataset
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import BaseImageProcessor

from .corpus import photo_loader
from .encoder import Encoder
from .features import inference, photo_features, to_model


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
    """Embed photos for attributes; a photo passes the backbone once, for all attributes that are wanted of it.

    Args:
        model (`nn.Module`): with `config.attribute_names` and `get_attribute_features(pixel_values, attribute_ids,
            source_pixel_values, source_sizes)`, which gives (B, K, D).
        image_processor (`BaseImageProcessor`): gives `pixel_values`, and `source_pixel_values` and `source_sizes`
            where the model crops from the photo.
        dataset (`Dataset`): N rows.
        wanted (`torch.Tensor` of shape `(N, A)`): bool; photos without an attribute are not read.
        attribute_ids (`Sequence[int]`): the model's ids of the A attributes.
        image_column (`str`, *optional*, defaults to `"image"`): column of photos; of a list of them the first is
            taken.
        batch_size (`int`, *optional*, defaults to 64): photos a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

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
            embeds = photo_features(model, inputs, ids[places]).cpu()
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
    """Yield photos in batches of which each photo is asked for equally many attributes.

    Args:
        model (`nn.Module`): as for [`embed_attributes`], like all others.
        image_processor (`BaseImageProcessor`): the model's.
        dataset (`Dataset`): N rows.
        wanted (`torch.Tensor` of shape `(N, A)`): bool.
        image_column (`str`, *optional*, defaults to `"image"`): column of photos.
        batch_size (`int`, *optional*, defaults to 64): photos a forward pass.
        num_workers (`int`, *optional*, defaults to 0): additional processes that decode photos.

    Returns:
        Iterator of: rows (B,), which columns of `wanted` each is asked for (B, K), and the model's image inputs on its
        device, pixels in its float type.

    Raises:
        ValueError: the column is not in the dataset.
    """
    batches = _equal_batches(wanted, batch_size)
    prepare = Encoder(model, image_processor).prepare_photos
    chosen = [rows.tolist() for rows, _ in batches]
    loader = photo_loader(dataset, image_column, prepare, num_workers, batch_sampler=chosen)
    for (rows, places), inputs in zip(batches, loader, strict=True):
        yield rows, places, to_model(model, inputs)


def model_attribute_ids(model: nn.Module, names: Sequence[str]) -> list[int]:
    """Return the model's ids of attributes.

    Args:
        model (`nn.Module`): with `config.attribute_names`.
        names (`Sequence[str]`): attributes.

    Raises:
        ValueError: the model lacks one of them, which is named.
    """
    known = list(model.config.attribute_names)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"the model has no attribute {unknown[0]!r}; it has {', '.join(known)}. Remove others from the column map"
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
