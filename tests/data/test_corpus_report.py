import json

from hf_fashion.data.corpus_report import CorpusReport
from hf_fashion.data.encoded_photos import BadImage
from hf_fashion.data.leaks import Leak


BAD = [BadImage(3, "no image"), BadImage(1017, "truncated")]


def test_a_clean_corpus_is_one_line():
    report = CorpusReport(rows={"train": 12_000, "validation": 5})
    assert str(report) == "corpus: train 12,000 rows, validation 5 rows"


def test_every_finding_is_a_line_with_split_and_rows():
    report = CorpusReport(
        rows={"train": 4, "validation": 2},
        skipped={"train": BAD},
        empty_captions={"validation": [1]},
        leaks=[Leak("photo", "train", "validation", ((2, 0),))],
        places={"train": {2: "feed.csv, line 4 (id 'a')", 3: "feed.csv, line 5", 1017: "feed.csv, line 1019"}},
    )
    assert str(report).splitlines() == [
        "corpus: train 4 rows, validation 2 rows",
        "skipped: train: 2 unreadable images:",
        "    feed.csv, line 5: no image;",
        "    feed.csv, line 1019: truncated",
        "no caption: validation: 1 row:",
        "    row 1",
        "leak: 1 row of validation with a photo of train:",
        "    train: feed.csv, line 4 (id 'a') = validation: row 0",
    ]


def test_one_bad_image_is_singular_and_long_lists_are_cut():
    report = CorpusReport({}, {"one": BAD[:1], "many": [BadImage(row, "broken") for row in range(2_000)]})
    assert report.describe_bad_images("one") == "one: 1 unreadable image:\n    row 3: no image"
    lines = report.describe_bad_images("many").splitlines()
    assert lines[:2] == ["many: 2,000 unreadable images:", "    row 0: broken;"]
    assert lines[-2:] == ["    row 99: broken;", "    and 1,900 more"]


def test_the_dict_is_ready_for_json_and_complete():
    report = CorpusReport({"train": 1}, {"train": BAD}, {"train": [0]}, [Leak("title", "a", "b", ((0, 1), (0, 2)))])
    values = json.loads(json.dumps(report.to_dict()))
    assert values == {
        "rows": {"train": 1},
        "skipped": {"train": [{"row": image.row, "reason": image.reason} for image in BAD]},
        "empty_captions": {"train": [0]},
        "leaks": [{"kind": "title", "first": "a", "second": "b", "rows": [[0, 1], [0, 2]]}],
        "places": {},
        "held_out": None,
    }
