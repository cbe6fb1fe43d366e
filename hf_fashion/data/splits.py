"""Split a corpus into train and validation by product, title and photo."""

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Sequence

from datasets import Dataset, DatasetDict

from ..messages import listed
from .column_map import ColumnMap
from .product_groups import product_groups
from .sources.source_rows import name_sources, own_columns
from .sources.streams import require_tables
from .values import column_texts


logger = logging.getLogger(__name__)


def train_and_validation(
    corpus: DatasetDict,
    column_map: ColumnMap,
    train_split: str | None = None,
    validation_split: str | None = None,
    validation_fraction: float = 0.1,
    seed: int = 0,
) -> DatasetDict:
    """
    Return the two splits that training needs, named `train` and `validation`.

    A corpus with a validation split keeps it; a corpus with a single split (such as `data`) is split by
    [`split_without_leaks`].

    Args:
        corpus (`DatasetDict`): the corpus as loaded.
        column_map (`ColumnMap`): names the product id.
        train_split (`str`, *optional*): split to train on. Default: `train`, or the only split there is.
        validation_split (`str`, *optional*): split to validate on. Default: the first that exists of `validation`,
            `valid`, `val`, `dev` and `test`, other than `train_split`.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products to hold out, if there is no
            validation split.
        seed (`int`, *optional*, defaults to 0): seed of that hold-out.

    Raises:
        ValueError: naming the splits that exist, if a named split does not exist or none can be chosen; or a split is
            a streaming dataset.
    """
    require_tables(corpus)
    train_name = train_split or ("train" if "train" in corpus else _only_split(corpus))
    if validation_split is None:
        candidates = ("validation", "valid", "val", "dev", "test")
        validation_split = next((name for name in candidates if name in corpus and name != train_name), None)
    for name in (train_name, validation_split):
        if name is not None and name not in corpus:
            raise ValueError(f"the corpus has no split {name!r}; it has: {', '.join(corpus)}")
    if validation_split is not None:
        return DatasetDict(train=corpus[train_name], validation=corpus[validation_split])
    return split_without_leaks(corpus[train_name], column_map, validation_fraction, seed)


def split_without_leaks(
    dataset: Dataset, column_map: ColumnMap, validation_fraction: float = 0.1, seed: int = 0
) -> DatasetDict:
    """
    Split one dataset into `train` and `validation` by product id, title and photo: all rows of a product are in the
    same split, and so are all products that share a title or a photo.

    The split is that of [`split_by_product`], where products that share something count as one, whose id is their
    first in the order of text. Where they together have more than `validation_fraction` of the rows they stay in
    `train`.

    Args:
        dataset (`Dataset`): rows to split.
        column_map (`ColumnMap`): names the product id, the caption and the photo.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products to hold out.
        seed (`int`, *optional*, defaults to 0): seed of the hold-out.

    Raises:
        ValueError: as [`split_by_product`].
    """
    products = _products(dataset, column_map)
    groups = product_groups(dataset, column_map, products)
    return _split(dataset, groups, validation_fraction, seed, _large_groups(groups, products, validation_fraction))


def split_by_product(
    dataset: Dataset, column_map: ColumnMap, validation_fraction: float = 0.1, seed: int = 0
) -> DatasetDict:
    """
    Split one dataset into `train` and `validation` by product id; all rows of a product are in the same split.

    The split depends only on the seed and a hash of the product id: it does not change when rows are added, removed or
    reordered. So the held-out share of the products is `validation_fraction` up to chance.

    Args:
        dataset (`Dataset`): rows to split.
        column_map (`ColumnMap`): names the product id.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products to hold out.
        seed (`int`, *optional*, defaults to 0): seed of the hold-out.

    Raises:
        ValueError: if the map names no product id, the column is missing, ids are null (naming the rows), the
            fraction is not between 0 and 1, or a split would be empty.
    """
    return _split(dataset, _products(dataset, column_map), validation_fraction, seed)


def _split(
    dataset: Dataset, groups: Sequence[str], fraction: float, seed: int, kept: Collection[str] = ()
) -> DatasetDict:
    """The groups that a hash holds out, without those that are kept in train."""
    if not 0 < fraction < 1:
        raise ValueError(f"`validation_fraction` must lie between 0 and 1, got {fraction}")
    held_out = [group not in kept and product_position(group, seed) < fraction for group in groups]
    if all(held_out) or not any(held_out):
        raise ValueError(
            f"{len(set(groups))} products with `validation_fraction` {fraction} and seed {seed} leave a split empty "
            "(products that share a title or photo count as one): use another fraction or seed"
        )
    return DatasetDict(
        train=dataset.select([row for row, out in enumerate(held_out) if not out]),
        validation=dataset.select([row for row, out in enumerate(held_out) if out]),
    )


def _products(dataset: Dataset, column_map: ColumnMap) -> list[str]:
    """The product of each row."""
    column = column_map.product_id
    if column is None or column not in dataset.column_names:
        raise ValueError(
            f"the corpus has only one split, and its column of product ids is {column!r}: set `product_id` in the "
            f"column map to one of {', '.join(own_columns(dataset))}, or add a validation split"
        )
    ids = column_texts(dataset, column)
    missing = [row for row, value in enumerate(ids) if value is None]
    if missing:
        places = name_sources(dataset, missing, image_column=column_map.image)
        raise ValueError(listed(f"column {column!r} (product_id) is empty in {len(missing):,} of the rows", places))
    return [column_map.product_of(value) for value in ids]


def _large_groups(groups: Sequence[str], products: Sequence[str], fraction: float) -> set[str]:
    """Groups of several products with more than this share of the rows."""
    several = {group for group, product in zip(groups, products, strict=True) if group != product}
    large = {group: count for group, count in Counter(groups).items() if count > fraction * len(groups)}
    for group in several & set(large):
        logger.warning(
            "%s rows share titles or photos with product %r, directly or by way of others: they stay in `train`",
            f"{large[group]:,}",
            group,
        )
    return several & set(large)


def product_position(product: str, seed: int) -> float:
    """Return a number in [0, 1) for a product: a hash of its id and the seed, uniform over products."""
    digest = hashlib.blake2b(f"{seed}:{product}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _only_split(corpus: DatasetDict) -> str:
    if len(corpus) > 1:
        raise ValueError(f"the corpus has no split 'train'; name one of: {', '.join(corpus)}")
    return next(iter(corpus))
