"""Products that must be in one split, against all pairs."""

import random
from itertools import product as pairs

from datasets import Dataset, Image, concatenate_datasets

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.product_groups import product_groups, products_of_several_titles
from tests.data.corpora import jpeg, products


COLUMN_MAP = ColumnMap(caption="title", product_id="id")


def naive_groups(names: list[str], *columns: list) -> list[str]:
    """The smallest product of each row's group: products are joined until nothing changes."""
    groups = list(names)
    changed = True
    while changed:
        changed = False
        for (i, j), column in pairs(pairs(range(len(names)), repeat=2), [names, *columns]):
            if column[i] == column[j] is not None and groups[i] > groups[j]:
                groups[i], changed = groups[j], True
    return groups


def test_groups_are_those_of_all_pairs():
    draw = random.Random(0)
    for _ in range(20):
        names = [f"p{draw.randrange(20)}" for _ in range(30)]
        titles = [draw.choice([None, *(f"t{number}" for number in range(40))]) for _ in range(30)]
        photos = [draw.randrange(60) for _ in range(30)]
        cells = [{"bytes": jpeg(photo), "path": None} for photo in photos]
        dataset = Dataset.from_dict({"title": titles, "image": cells}).cast_column("image", Image())
        assert product_groups(dataset, COLUMN_MAP, names) == naive_groups(names, titles, photos)


def test_case_and_white_space_do_not_tell_titles_apart():
    dataset = Dataset.from_dict({"title": ["Red  hat", "red hat ", "Red coat", None, ""]})
    assert product_groups(dataset, COLUMN_MAP, ["b", "a", "c", "d", "e"]) == ["a", "a", "c", "d", "e"]


def test_columns_that_are_not_there_join_nothing():
    dataset = Dataset.from_dict({"id": ["a", "b"]})
    assert product_groups(dataset, COLUMN_MAP, ["a", "b"]) == ["a", "b"]
    twice = concatenate_datasets([products(1), products(1)])
    assert product_groups(twice, ColumnMap(image="photo"), ["a", "b"]) == ["a", "b"]
    assert product_groups(twice, ColumnMap(), ["a", "b"]) == ["a", "a"]


SHARED_IDS = Dataset.from_dict(
    {
        "sku": ["a", "b", "a", "b", "c", None, None],
        "title": ["Red dress", "Blue coat", "red  dress", "Green hat", None, "Shoe", "Boot"],
    }
)


def test_products_with_several_titles_are_named_with_their_rows():
    assert products_of_several_titles(SHARED_IDS, ColumnMap(caption="title", product_id="sku")) == {"b": [1, 3]}


def test_products_are_told_by_the_pattern():
    views = Dataset.from_dict({"sku": ["12_front", "12_back", "7_a", "7"], "title": ["Hat", "Boot", "Coat", "coat"]})
    column_map = ColumnMap(caption="title", product_id="sku", product_pattern=r"^\d+")
    assert products_of_several_titles(views, column_map) == {"12": [0, 1]}


def test_without_products_or_titles_there_are_none():
    assert products_of_several_titles(SHARED_IDS, ColumnMap(caption="title")) == {}
    assert products_of_several_titles(SHARED_IDS, ColumnMap(product_id="sku")) == {}
