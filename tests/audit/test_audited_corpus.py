"""Rows of all splits, numbered through."""

import pytest
from datasets import Dataset, DatasetDict, Features, Image, List

from hf_fashion.audit.audited_corpus import AuditedCorpus, Row
from hf_fashion.data.column_map import ColumnMap
from tests.audit.planted import COLUMN_MAP, TRAIN_ROWS, VALIDATION_ROWS, clean_corpus
from tests.data.corpora import jpeg


@pytest.fixture(scope="module")
def corpus():
    return AuditedCorpus(clean_corpus(), COLUMN_MAP)


def test_a_row_is_found_in_its_split(corpus):
    assert len(corpus) == TRAIN_ROWS + VALIDATION_ROWS
    assert corpus.place(TRAIN_ROWS - 1) == ("train", TRAIN_ROWS - 1)
    assert corpus.place(TRAIN_ROWS) == ("validation", 0)
    assert corpus.rows_of("validation") == range(TRAIN_ROWS, TRAIN_ROWS + VALIDATION_ROWS)
    assert [len(part) for part in corpus.parts([1, 3, TRAIN_ROWS + 2])] == [2, 1]


def test_columns_are_read_through_all_splits(corpus):
    validation = clean_corpus()["validation"]
    assert corpus.captions[TRAIN_ROWS:] == validation["caption"][:]
    labels = corpus.labels()
    assert list(labels) == ["article_type", "brand", "colour", "pattern"]
    assert labels["colour"][TRAIN_ROWS + 1] == [validation["colour"][1]]
    assert labels["pattern"][0][0] in clean_corpus()["train"].features["pattern"].names
    assert corpus.photo("validation", 1).size == (64, 64)


def test_each_view_of_a_row_is_a_photo():
    cells = [[{"bytes": jpeg(seed, size), "path": None} for seed, size in enumerate([(12, 16), (20, 8)])]]
    dataset = Dataset.from_dict({"image": cells}, features=Features({"image": List(Image())}))
    corpus = AuditedCorpus(DatasetDict(train=dataset), ColumnMap())
    assert [corpus.photo("train", 0, view).size for view in (0, 1)] == [(12, 16), (20, 8)]
    cells[0][0] = {"bytes": b"no photo", "path": None}
    broken = Dataset.from_dict({"image": cells}, features=dataset.features)
    corpus = AuditedCorpus(DatasetDict(train=broken), ColumnMap())
    assert corpus.photo("train", 0, 1).size == (20, 8)
    with pytest.raises(ValueError, match="row 0: the photo in column 'image' cannot be read"):
        corpus.photo("train", 0)


def test_a_tag_and_an_attribute_of_one_name_may_have_two_columns():
    columns = AuditedCorpus(clean_corpus(), ColumnMap(tags={"shade": "colour"}, attributes={"shade": "hem"})).columns
    assert columns == {"shade": "colour", "shade (attribute)": "hem"}


def test_rows_without_a_product_own_themselves(corpus):
    assert len(set(corpus.owners())) == len(corpus)
    assert AuditedCorpus(clean_corpus(), ColumnMap()).owners()[-1] == ("validation", len(corpus) - 1)


def test_rows_of_findings_are_named_by_their_source(corpus):
    named = corpus.name_rows({"rows": [Row(2), Row(TRAIN_ROWS)], "count": 2, "text": "2"})
    assert (named["count"], named["text"]) == (2, "2")
    assert [(row["split"], row["row"]) for row in named["rows"]] == [("train", 2), ("validation", 0)]
    assert clean_corpus()["validation"]["product_id"][0] in named["rows"][1]["source"]
