"""Planted duplicates are found and named; the clean corpus has none."""

import pytest
from datasets import Dataset, DatasetDict, Features, Image, List, Value

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.duplicates import audit_duplicates
from hf_fashion.audit.signatures import read_signatures
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.leaks import find_photo_leaks
from tests.audit.planted import COLUMN_MAP, TRAIN_ROWS, clean_corpus, planted_corpus


def duplicates(splits):
    corpus = AuditedCorpus(splits, COLUMN_MAP)
    return audit_duplicates(corpus, read_signatures(corpus, progress=False), progress=False)


@pytest.fixture(scope="module")
def planted():
    return duplicates(planted_corpus())


def rows(groups) -> list[list[int]]:
    return [group["rows"] for group in groups]


def test_a_clean_corpus_has_no_duplicates():
    found = duplicates(clean_corpus())
    (leak,) = found.pop("leaks")
    assert not any(found.values())
    assert [value for key, value in leak.items() if key not in ("first", "second")] == [0, 0, 0, 0]


def test_the_same_file_of_two_products_names_what_differs(planted):
    (group,) = planted["photos"]
    assert group["rows"] == [5, 9] and group["same_file"] and group["difference"] == 0
    train = planted_corpus()["train"]
    differing = [name for name in ("article_type", "brand", "colour", "pattern") if train[name][5] != train[name][9]]
    assert list(group["differing"]) == differing != []


def test_a_photo_that_was_saved_again_is_a_leak(planted):
    (group,) = planted["leaked_photos"]
    assert group["rows"] == [3, TRAIN_ROWS] and not group["same_file"]
    assert find_photo_leaks(planted_corpus(), "image") == []


def test_titles_are_sorted_by_kind(planted):
    assert rows(planted["near_titles"]) == [[6, 7]]
    assert rows(planted["titles"]) == [[TRAIN_ROWS + 1, TRAIN_ROWS + 2]]
    assert rows(planted["leaked_titles"]) == [[8, TRAIN_ROWS + 4]]


def test_leaks_are_counted_by_rows_of_the_later_split(planted):
    assert planted["leaks"] == [
        {
            "first": "train",
            "second": "validation",
            "same_photo": 0,
            "near_photo": 1,
            "same_title": 1,
            "near_title": 1,
        }
    ]


def test_a_row_of_several_photos_is_counted_once():
    views = [clean_corpus()["train"][row]["image"] for row in range(6)]
    features = Features({"image": List(Image()), "product_id": Value("string")})
    rows = {"image": [views[:3], views[3:]], "product_id": ["a", "b"]}
    train = Dataset.from_dict(rows, features=features)
    validation = Dataset.from_dict({"image": [views[:3]], "product_id": ["c"]}, features=features)
    corpus = AuditedCorpus(DatasetDict(train=train, validation=validation), ColumnMap(product_id="product_id"))
    found = audit_duplicates(corpus, read_signatures(corpus, progress=False), progress=False)
    assert len(found["leaked_photos"]) == 3
    assert (found["leaks"][0]["same_photo"], found["leaks"][0]["near_photo"]) == (1, 1)
