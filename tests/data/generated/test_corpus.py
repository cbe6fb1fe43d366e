import numpy as np
import pytest

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import ENTITIES, make_generated_corpus, make_row
from hf_fashion.data.generated.vocabulary import ARTICLE_TYPES
from hf_fashion.data.values import column_texts


@pytest.fixture(scope="module")
def corpus():
    return make_generated_corpus(train_rows=120, validation_rows=60, image_size=64, seed=5)


def test_the_corpus_passes_its_own_check(corpus):
    checked, report = check_corpus(corpus, ColumnMap.shipped("generated"))
    assert report.rows == {"train": 120, "validation": 60}
    assert report.leaks == []
    assert checked["train"][0]["image"].size == (64, 64)


def test_the_same_seed_gives_the_same_bytes_however_many_rows(corpus):
    again = make_generated_corpus(train_rows=3, validation_rows=2, image_size=64, seed=5)
    for split in again:
        stored = corpus[split].with_format("arrow")[: len(again[split])]
        assert again[split].with_format("arrow")[:].equals(stored)
    assert make_row("train", 0, 64, seed=6)["image"] != make_row("train", 0, 64, seed=5)["image"]


def test_titles_are_nearly_all_distinct_and_name_what_is_to_be_seen(corpus):
    assert len(set(corpus["train"]["caption"])) > 115
    for row in corpus["train"].remove_columns("image"):
        caption = row["caption"].lower()
        names = (row["article_type"], row["brand"].lower(), row["colour"])
        assert all(name in caption for name in names), (names, caption)


def test_boxes_lie_in_the_image_and_exist_where_the_part_does(corpus):
    for row in corpus["train"].remove_columns("image"):
        article = ARTICLE_TYPES[row["article_type"]]
        assert (row["boxes"]["sleeve"] is None) == (row["sleeve"] is None) == (not article.sleeves)
        assert (row["boxes"]["neckline"] is None) == (row["neckline"] is None) == (not article.necklines)
        for entity in ENTITIES:
            if row["boxes"][entity] is not None:
                x0, y0, x1, y1 = row["boxes"][entity]
                assert 0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 64, (entity, row["boxes"])


def test_a_mark_is_one_to_three_patches_of_eight_pixels_and_on_the_garment(corpus):
    boxes = corpus["train"]["boxes"]
    marks = np.array([row["brand"] for row in boxes])
    sides = marks[:, 2:] - marks[:, :2]
    assert sides.min() >= 7 and sides.max() <= 20
    wholes = np.array([row["article_type"] for row in boxes])
    assert (marks[:, :2] >= wholes[:, :2] - 4).all() and (marks[:, 2:] <= wholes[:, 2:] + 4).all()


def test_labels_are_classes_with_null_for_what_a_garment_has_not(corpus):
    sleeves = column_texts(corpus["train"], "sleeve")
    assert {"long", "short", None} <= set(sleeves)


@pytest.mark.parametrize(
    ("name", "value"), [("train_rows", 0), ("validation_rows", 0), ("image_size", 31), ("seed", -1)]
)
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be at least .*, got {value}"):
        make_generated_corpus(**{name: value})
