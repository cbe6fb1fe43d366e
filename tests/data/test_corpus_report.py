import json

from hf_fashion.data.corpus_report import CorpusReport, describe_bad_images
from hf_fashion.data.encoded_photos import BadImage
from hf_fashion.data.leaks import Leak


BAD = [BadImage(3, "ValueError: no image"), BadImage(1017, "OSError: truncated")]


def test_a_clean_corpus_is_one_line():
    report = CorpusReport(rows={"train": 12_000, "validation": 5})
    assert str(report) == "corpus: train 12,000 rows, validation 5 rows"


def test_every_finding_is_a_line_with_split_and_rows():
    report = CorpusReport(
        rows={"train": 4, "validation": 2},
        skipped={"train": BAD},
        empty_captions={"validation": [1]},
        leaks=[Leak("photo", "train", "validation", ((2, 0),))],
    )
    assert str(report).splitlines() == [
        "corpus: train 4 rows, validation 2 rows",
        "skipped: train: 2 unreadable images, rows 3, 1017 (row 3: ValueError: no image)",
        "no caption: validation, row 1",
        "leak: 1 row of validation with a photo of train (rows train/validation: 2/0)",
    ]


def test_one_bad_image_is_singular_and_long_lists_are_cut():
    assert describe_bad_images("train", BAD[:1]) == "train: 1 unreadable image, row 3 (row 3: ValueError: no image)"
    many = [BadImage(row, "broken") for row in range(2_000)]
    text = describe_bad_images("val", many)
    assert text.startswith("val: 2,000 unreadable images, rows 0, 1, 2") and "and 1,990 more (row 0: broken)" in text


def test_the_dict_is_ready_for_json_and_complete():
    report = CorpusReport({"train": 1}, {"train": BAD}, {"train": [0]}, [Leak("title", "a", "b", ((0, 1), (0, 2)))])
    values = json.loads(json.dumps(report.to_dict()))
    assert values == {
        "rows": {"train": 1},
        "skipped": {"train": [{"row": image.row, "reason": image.reason} for image in BAD]},
        "empty_captions": {"train": [0]},
        "leaks": [{"kind": "title", "first": "a", "second": "b", "rows": [[0, 1], [0, 2]]}],
    }
