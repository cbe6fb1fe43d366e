"""Group products that share a title or a photo, which must not be in two splits; find ids that two products share."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from datasets import Dataset, Image, List

from .column_map import ColumnMap
from .leaks import photo_keys, title_keys
from .values import caption_texts, column_texts, title_as_read


def product_groups(dataset: Dataset, column_map: ColumnMap, products: Sequence[str]) -> list[str]:
    """Return the group of every row, which is named by the first id of its products.

    Two products are in one group if they have a title in common (as CLIP's tokenizer reads it) or the bytes of a
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


def products_of_several_titles(dataset: Dataset, column_map: ColumnMap) -> dict[str, list[int]]:
    """Return the rows, counted from 0, of each product with more than one title, as CLIP's tokenizer reads them.

    Args:
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the product, by its `product_pattern` too, and the caption; where it does not,
            there are none.
    """
    if column_map.product_id is None or column_map.caption is None:
        return {}
    rows, titles = defaultdict(list), defaultdict(set)
    products = column_texts(dataset, column_map.product_id)
    for row, (product, title) in enumerate(zip(products, caption_texts(dataset, column_map.caption), strict=True)):
        if product is not None and title is not None:
            product = column_map.product_of(product)
            rows[product].append(row)
            titles[product].add(title_as_read(title))
    return {product: rows[product] for product, found in titles.items() if len(found) > 1}


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
