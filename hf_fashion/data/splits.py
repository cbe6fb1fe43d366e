"""Splitting a corpus so that no product stands on both sides."""

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
    The two splits that training needs, under the names `train` and `validation`.

    A corpus that has a validation split keeps its own; one that has a single split (such as `data`) is split by
    product.

    Args:
        corpus (`DatasetDict`): the corpus as loaded.
        column_map (`ColumnMap`): names the product id.
        train_split (`str`, *optional*): split to train on. Default: `train`, or the only split there is.
        validation_split (`str`, *optional*): split to validate on. Default: `validation`, `valid`, `val`, `dev` or
            `test`, the first that exists (`test` is never taken when it was named as `train_split`).
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products to hold out, when none
            exists.
        seed (`int`, *optional*, defaults to 0): of that hold-out.

    Raises:
        ValueError: naming the splits that exist, if a named split does not or none can be chosen.
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
    Splits one dataset into `train` and `validation` by product id; all rows of a product land on the same side.

    The side is a hash of seed and product id alone: it does not change when rows are added, removed or reordered, so
    the held-out share is `validation_fraction` of the products up to chance.

    Raises:
        ValueError: if the map names no product id, the column is missing, ids are null (with row numbers), the
            fraction is not between 0 and 1, or a side would stay empty.
    """
    if not 0 < validation_fraction < 1:
        raise ValueError(f"`validation_fraction` must lie between 0 and 1, got {validation_fraction}")
    column = column_map.product_id
    if column is None or column not in dataset.column_names:
        raise ValueError(
            f"the corpus has one split only, and its column of product ids is {column!r}: set `product_id` in the "
            f"column map to one of {', '.join(dataset.column_names)}, or bring a validation split"
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
    """A product's place in [0, 1), uniform over products and fixed by its id and the seed."""
    digest = hashlib.blake2b(f"{seed}:{product}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _only_split(corpus: DatasetDict) -> str:
    if len(corpus) > 1:
        raise ValueError(f"the corpus has no split 'train'; name one of: {', '.join(corpus)}")
    return next(iter(corpus))
