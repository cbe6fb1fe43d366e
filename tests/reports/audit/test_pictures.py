"""Rows of an audited corpus as pictures."""

import re

from datasets import DatasetDict

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.reports.audit.pictures import GROUPS_SHOWN, PHOTOS_SHOWN, RowPictures
from tests.audit.planted import COLUMN_MAP
from tests.reports.audit.audited import audited, with_issues


def sources(html: str) -> list[str]:
    return re.findall(r"((?:train|validation)\[\d+\])", html)


def test_duplicates_are_shown_with_what_differs():
    corpus, findings = audited()
    html = RowPictures(corpus).photo_groups(findings["duplicates"]["photos"])
    assert html.count("<img") == 2 and "2 rows, the same file; article_type: " in html
    assert sources(html)[:1] == ["train[5]"] and "train[9]" in html


def test_titles_are_shown_with_their_captions():
    corpus, findings = audited()
    html = RowPictures(corpus).title_groups(findings["duplicates"]["near_titles"])
    assert html.count("<img") == 2 and "2 rows, 2 spellings" in html and corpus.captions[7] in html


def test_labels_are_shown_with_what_the_model_sees():
    corpus, findings = audited()
    html = RowPictures(corpus).issues(with_issues(findings)["disagreements"]["colour"]["issues"])
    assert html.count("<img") == 1 and "red, seen as blue, as its caption (0.50)" in html and "validation[6]" in html


def test_only_the_first_are_shown_and_both_sides_of_a_leak_are_among_them():
    corpus, _ = audited()
    rows = [{"split": "train", "row": row, "source": f"train[{row}]"} for row in range(PHOTOS_SHOWN)]
    rows.append({"split": "validation", "row": 0, "source": "validation[0]"})
    groups = [{"titles": ["a"], "rows": rows}] * (GROUPS_SHOWN + 2)
    html = RowPictures(corpus).title_groups(groups)
    assert html.count("<img") == GROUPS_SHOWN * PHOTOS_SHOWN and "validation[0]" in html
    assert "1 more in audit.json" in html and "2 more are in audit.json." in html


def test_a_row_whose_photo_cannot_be_read_is_named():
    corpus, _ = audited()
    broken = {"image": {"bytes": b"no photo", "path": None}}
    splits = DatasetDict({name: split.select([6]).map(lambda _: broken) for name, split in corpus.splits.items()})
    row = {"split": "validation", "row": 0, "source": "validation[6]"}
    html = RowPictures(AuditedCorpus(splits, COLUMN_MAP)).title_groups([{"titles": ["a"], "rows": [row]}])
    assert "<img" not in html and "validation[6] (its photo cannot be read)" in html


def test_nothing_is_told_as_none():
    assert RowPictures(audited()[0]).photo_groups([]) == "<p>None.</p>"
