"""Group products that share a title or a photo, which must not be in two splits."""

from collections.abc import Hashable, Sequence

from datasets import Dataset, Image, List

from .column_map import ColumnMap
from .leaks import photo_keys, title_keys


def product_groups(dataset: Dataset, column_map: ColumnMap, products: Sequence[str]) -> list[str]:
    """Return the group of every row, which is named by the first id of its products.

    Two products are in one group if they have a title in common (except for case and white space) or the bytes of a
    photo, directly or by way of other products.

    Args:
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the caption and the photo; columns that the dataset does not have are passed
            over.
        products (`Sequence[str]`): the product of each row.
    """
    groups = {product: product for product in products}
    for keys in _keys(dataset, column_map):
        first: dict[Hashable, str] = {}
        for row, key in keys:
            one, other = _root(groups, first.setdefault(key, products[row])), _root(groups, products[row])
            groups[max(one, other)] = min(one, other)
    return [_root(groups, product) for product in products]


def _keys(dataset: Dataset, column_map: ColumnMap) -> list[list[tuple[int, Hashable]]]:
    keys = []
    if column_map.caption in dataset.column_names:
        keys.append(title_keys(dataset, column_map.caption))
    feature = dataset.features.get(column_map.image)
    if isinstance(feature.feature if isinstance(feature, List) else feature, Image):
        keys.append(photo_keys(dataset, column_map.image))
    return keys


def _root(groups: dict[str, str], product: str) -> str:
    while (parent := groups[product]) != product:
        groups[product] = groups[parent]  # halves the way for the next call
        product = parent
    return product
