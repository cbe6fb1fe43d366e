import json

import pytest
from datasets import DatasetDict, Image

from hf_fashion.data.checks import CorpusError, check_corpus
from hf_fashion.data.column_map import ColumnMap
from tests.data.corpora import products


COLUMN_MAP = ColumnMap(caption="title", tags={"brand": "brand"}, product_id="id")


def spoil(dataset, column, values):
    """The dataset with other cells in some rows: {row: value}."""
    columns = dataset.cast_column("image", Image(decode=False)).to_dict()
    for row, value in values.items():
        columns[column][row] = value
    return dataset.from_dict(columns, features=dataset.features)


def corpus_with(train):
    return DatasetDict(train=train, validation=products(2, first=90))


def test_a_clean_corpus_passes_unchanged():
    corpus, report = check_corpus(corpus_with(products(4)), COLUMN_MAP)
    assert corpus["train"]["title"][:] == products(4)["title"][:]
    assert str(report) == "corpus: train 4 rows, validation 2 rows"


def test_missing_columns_stop_before_any_row_is_read():
    corpus = corpus_with(spoil(products(4), "image", {1: {"bytes": b"broken", "path": None}}))
    with pytest.raises(CorpusError, match=r"no column 'titel' \(caption\) \(did you mean 'title'\?\)") as error:
        check_corpus(corpus, ColumnMap(caption="titel"))
    assert len(error.value.problems) == 2  # one a split, and nothing on the photo


def test_everything_found_in_the_rows_comes_in_one_error():
    train = spoil(products(5), "title", {1: None, 3: "  "})
    train = spoil(train, "image", {2: {"bytes": b"broken", "path": None}})
    corpus = DatasetDict(train=train, validation=products(1, first=4))
    with pytest.raises(CorpusError) as error:
        check_corpus(corpus, COLUMN_MAP)
    text = str(error.value)
    assert len(error.value.problems) == 4
    assert (
        "train: 2 rows without a caption (it is empty, or a word such as 'nan'). Write them, or drop these rows:\n"
        "    row 1 (id 'p001');\n    row 3" in text
    )
    assert (
        "train: 1 unreadable image. Repair them, or choose on_bad_image=skip (--on_bad_image skip):\n    row 2 (id "
        in text
    )
    assert "1 row of validation with a photo of train. Drop" in text
    assert "1 row of validation with a title of train. Drop" in text
    assert text.count("\n    train: row 4 (id 'p004') = validation: row 0 (id 'p004')") == 2


def test_bad_images_are_skipped_and_counted_on_request():
    broken = {"bytes": b"broken", "path": None}
    corpus = corpus_with(spoil(products(5), "image", {0: broken, 3: broken}))
    checked, report = check_corpus(corpus, COLUMN_MAP, on_bad_image="skip")
    assert checked["train"]["id"][:] == ["p001", "p002", "p004"]
    assert report.rows == {"train": 3, "validation": 2}
    assert [image.row for image in report.skipped["train"]] == [0, 3]
    assert "skipped: train: 2 unreadable images:\n    row 0 (id 'p000'): the file" in str(report)


def test_a_split_of_bad_images_only_is_an_error_even_then():
    corpus = corpus_with(spoil(products(1), "image", {0: None}))
    with pytest.raises(CorpusError, match="split 'train' has no readable image"):
        check_corpus(corpus, COLUMN_MAP, on_bad_image="skip")


def test_an_id_of_two_products_is_named(caplog):
    check_corpus(corpus_with(spoil(products(3), "id", {1: "p000"})), COLUMN_MAP)
    assert "train: 1 ids of rows with different titles, which are taken for views of one product:\n" in caplog.text
    assert "    'p000': row 0" in caplog.text


def test_leaks_are_kept_and_logged_on_request(caplog):
    corpus = DatasetDict(train=products(3), validation=products(2, first=2))
    checked, report = check_corpus(corpus, COLUMN_MAP, on_leak="warn")
    assert len(checked["validation"]) == 2
    assert [leak.kind for leak in report.leaks] == ["photo", "title"]
    assert "leak: 1 row of validation with a photo of train" in caplog.text
    assert json.loads(json.dumps(report.to_dict()))["leaks"][0]["rows"] == [[2, 0]]


def test_captions_are_free_where_none_is_needed():
    corpus = corpus_with(spoil(products(3), "title", {1: ""}))
    _, report = check_corpus(corpus, COLUMN_MAP, require_caption=False)
    assert report.empty_captions == {"train": [1]}
    check_corpus(corpus_with(products(2)), ColumnMap(), require_caption=False)


@pytest.mark.parametrize("word", ["nan", "None", "NULL", "<NA>", "#N/A"])
def test_what_programs_write_for_a_missing_caption_is_none(word):
    with pytest.raises(CorpusError, match=r"train: 1 row without a caption .*\n    row 1"):
        check_corpus(corpus_with(spoil(products(3), "title", {1: word})), COLUMN_MAP)


def test_what_programs_write_for_a_missing_tag_is_said(caplog):
    check_corpus(corpus_with(spoil(products(4), "brand", {1: "nan", 2: "nan"})), COLUMN_MAP)
    assert "train: 2 cells of column 'brand' are 'nan', which counts as a value like any other" in caplog.text
    assert "validation:" not in caplog.text


def test_what_programs_write_for_a_missing_value_of_a_list_is_said(caplog):
    train = products(4).add_column("neck", [["v", "nan"], ["nan"], [], ["v", "round"]])
    column_map = ColumnMap(attributes={"neck": "neck"})
    check_corpus(DatasetDict(train=train), column_map, require_caption=False)
    assert "train: 2 cells of column 'neck' are 'nan', which counts as a value like any other" in caplog.text


@pytest.mark.parametrize("option", ["on_bad_image", "on_leak"])
def test_unknown_choices_are_named(option):
    with pytest.raises(ValueError, match=rf"`{option}` must be one of error, .*; got 'ignore'"):
        check_corpus(corpus_with(products(2)), COLUMN_MAP, **{option: "ignore"})


def test_skipped_rows_are_not_judged_further_and_numbers_stay():
    """Rows 0 and 1 are dropped: their title and caption do not matter, those of the rows behind them do."""
    train = spoil(products(5), "image", {row: {"bytes": b"broken", "path": None} for row in (0, 1)})
    train = spoil(train, "title", {0: None, 3: ""})
    validation = spoil(products(2, first=90), "title", {0: "Shirt number 1", 1: "Shirt number 4"})
    corpus = DatasetDict(train=train, validation=validation)
    checked, report = check_corpus(corpus, COLUMN_MAP, "skip", "warn", require_caption=False)
    assert len(checked["train"]) == 3
    assert report.empty_captions == {"train": [3]}
    assert [(leak.kind, leak.rows) for leak in report.leaks] == [("title", ((4, 1),))]


def test_a_copy_of_a_skipped_row_is_still_judged():
    """The first of two rows with a title is dropped; the second one still leaks."""
    train = spoil(products(3), "title", {2: "Shirt number 0"})
    train = spoil(train, "image", {0: {"bytes": b"broken", "path": None}})
    corpus = DatasetDict(train=train, validation=spoil(products(1, first=90), "title", {0: "Shirt number 0"}))
    with pytest.raises(CorpusError, match=r"a title of train.*\n    train: row 2 .* = validation: row 0"):
        check_corpus(corpus, COLUMN_MAP, on_bad_image="skip")
