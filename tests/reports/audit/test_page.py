"""The page of an audit and its JSON."""

import json
import re

import pytest

from hf_fashion.reports.audit import page as module
from hf_fashion.reports.audit.page import write_audit
from tests.reports.audit.audited import audited, with_issues


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    corpus, findings = audited()
    return write_audit(tmp_path_factory.mktemp("pages") / "audit", corpus, with_issues(findings)).read_text()


def section(page: str, heading: str) -> str:
    return page.split(f"<h2>{heading}</h2>")[1].split("<h2>")[0]


def test_the_page_shows_each_fault(page):
    assert "train[5]" in section(page, "The same photo, several products")
    assert "validation[0]" in section(page, "Photos in several splits")
    assert "train[8]" in section(page, "Titles in several splits")
    assert "train[7]" in section(page, "One title in several spellings")
    assert "validation[2]" in section(page, "The same title, several products")
    assert "Onlyhere (1)" in section(page, "Values of tags and attributes")
    assert "probably one value" in section(page, "Values of tags and attributes")
    assert "1 rows have none" in section(page, "Captions")
    assert "own_row, image to text" in section(page, "What can be reached: validation")


def test_a_model_that_is_often_wrong_is_doubted(page):
    labels = section(page, "Labels that the model does not believe")
    assert (
        "60.0 % of 20 labels" in labels
        and "(the most frequent value is 30.0 %)" in labels
        and module.DOUBTFUL in labels
        and "red, seen as blue" in labels
    )
    assert "Judged by runs/best." in page
    assert "season is not judged: 3 rows have one value of it, and 20 are needed." in labels


def test_the_page_is_self_contained(page):
    assert re.findall(r'src="(?!data:)', page) == [] and "href" not in page
    assert "Photos that cannot be read" not in page  # there are none


def test_all_findings_are_in_the_json(tmp_path):
    corpus, findings = audited()
    write_audit(tmp_path / "audit", corpus, findings)
    assert json.loads((tmp_path / "audit" / "audit.json").read_text()) == findings


def test_a_corpus_without_captions_and_with_broken_photos(tmp_path):
    corpus, findings = audited()
    bad = [{"row": findings["captions"]["empty"][0], "reason": "it is cut <off>"}]
    html = write_audit(tmp_path / "audit", corpus, findings | {"captions": None, "unreadable": bad}).read_text()
    assert "cut &lt;off&gt;" in section(html, "Photos that cannot be read")
    assert "Captions" not in html and "Titles in several splits" not in html
    assert "name a model" in section(html, "Labels that the model does not believe")


def test_an_audit_is_replaced_and_nothing_else(tmp_path):
    corpus, findings = audited()
    for _ in range(2):
        write_audit(tmp_path / "audit", corpus, findings)
    (tmp_path / "audit" / "notes.txt").write_text("mine")
    for path in (tmp_path / "audit", tmp_path / "audit" / "notes.txt"):
        with pytest.raises(ValueError, match="is not the folder of an audit"):
            write_audit(path, corpus, findings)
    assert (tmp_path / "audit" / "notes.txt").read_text() == "mine"


def test_a_failure_leaves_the_old_audit(tmp_path, monkeypatch):
    corpus, findings = audited()
    page = write_audit(tmp_path / "audit", corpus, findings)
    before = page.read_text()
    monkeypatch.setattr(module, "RowPictures", lambda corpus: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_audit(tmp_path / "audit", corpus, findings | {"corpus": "other"})
    assert page.read_text() == before and [path.name for path in tmp_path.iterdir()] == ["audit"]
