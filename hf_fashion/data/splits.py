"""Split a corpus into train and validation by product."""

import hashlib

from datasets import Dataset, DatasetDict

from ..messages import name_rows
from .column_map import ColumnMap
from .values import column_texts


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

    A corpus with a validation split keeps it; a corpus with a single split (such as `data`) is split by product.

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
        ValueError: naming the splits that exist, if a named split does not exist or none can be chosen.
    """
    train_name = train_split or ("train" if "train" in corpus else _only_split(corpus))
    if validation_split is None:
        candidates = ("validation", "valid", "val", "dev", "test")
        validation_split = next((name for name in candidates if name in corpus and name != train_name), None)
    for name in (train_name, validation_split):
        if name is not None and name not in corpus:
            raise ValueError(f"the corpus has no split {name!r}; it has: {', '.join(corpus)}")
    if validation_split is not None:
        return DatasetDict(train=corpus[train_name], validation=corpus[validation_split])
    return split_by_product(corpus[train_name], column_map, validation_fraction, seed)


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
        ValueError: if the map names no product id, the column is missing, ids are null (with row numbers), the
            fraction is not between 0 and 1, or a split would be empty.
    """
    if not 0 < validation_fraction < 1:
        raise ValueError(f"`validation_fraction` must lie between 0 and 1, got {validation_fraction}")
    column = column_map.product_id
    if column is None or column not in dataset.column_names:
        raise ValueError(
            f"the corpus has only one split, and its column of product ids is {column!r}: set `product_id` in the "
            f"column map to one of {', '.join(dataset.column_names)}, or add a validation split"
        )
    ids = column_texts(dataset, column)
    missing = [row for row, value in enumerate(ids) if value is None]
    if missing:
        raise ValueError(f"column {column!r} (product_id): no value in {name_rows(missing)} (counted from 0)")
    held_out = [product_position(column_map.product_of(value), seed) < validation_fraction for value in ids]
    if all(held_out) or not any(held_out):
        raise ValueError(
            f"{len(set(ids))} products with `validation_fraction` {validation_fraction} and seed {seed} leave a split "
            "empty: use another fraction or seed"
        )
    return DatasetDict(
        train=dataset.select([row for row, out in enumerate(held_out) if not out]),
        validation=dataset.select([row for row, out in enumerate(held_out) if out]),
    )


def product_position(product: str, seed: int) -> float:
    """Return a number in [0, 1) for a product: a hash of its id and the seed, uniform over products."""
    digest = hashlib.blake2b(f"{seed}:{product}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _only_split(corpus: DatasetDict) -> str:
    if len(corpus) > 1:
        raise ValueError(f"the corpus has no split 'train'; name one of: {', '.join(corpus)}")
    return next(iter(corpus))
