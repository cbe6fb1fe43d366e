"""The report page: one file, nothing outside it, every text escaped, every picture described."""

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

from hf_fashion.reports.report_page import html_table, paragraph, picture, picture_row, ranked_texts, write_page


class Tags(HTMLParser):
    """Collects tags with their attributes; `open` holds the tags that are not closed."""

    VOID = ("meta", "img")

    def __init__(self, page: str):
        super().__init__()
        self.seen, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def photo(colour=(200, 30, 30)) -> Image.Image:
    return Image.new("RGB", (12, 8), colour)


def test_the_page_is_whole_and_is_self_contained(tmp_path):
    results = [picture(photo(), "a dress", "a dress", "right"), picture(photo(), "a coat")]
    body = picture_row("a red dress", results) + html_table(["%", "E2"], [["R@1", "33.0"]])
    path = tmp_path / "new" / "report.html"
    write_page(path, "Garments", "What was found.", [("Search", body)])
    page = path.read_text(encoding="utf-8")
    tags = Tags(page)
    assert tags.open == [] and page.startswith("<!doctype html>")
    assert not re.search(r"https?://|<script|<link|url\(", page)
    assert all(attrs["alt"] and attrs["src"].startswith("data:image/") for tag, attrs in tags.seen if tag == "img")
    assert [attrs["class"] for tag, attrs in tags.seen if tag == "figure"] == ["right", ""]
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_an_older_page_is_replaced(tmp_path):
    for introduction in ("old words", "new words"):
        write_page(tmp_path / "report.html", "Garments", introduction, [])
    page = (tmp_path / "report.html").read_text()
    assert "new words" in page and "old words" not in page


def test_texts_are_escaped(tmp_path):
    nasty = '<b>"shirt" & co</b>'
    parts = [
        paragraph(nasty),
        html_table([nasty], [[nasty]]),
        picture(photo(), nasty, nasty),
        ranked_texts([nasty], [True]),
    ]
    write_page(tmp_path / "report.html", nasty, nasty, [(nasty, picture_row(nasty, parts))])
    page = (tmp_path / "report.html").read_text()
    assert "<b>" not in page and page.count("&lt;b&gt;") == 11
    images = [attrs for tag, attrs in Tags(page).seen if tag == "img"]
    assert images[0]["alt"] == nasty


def test_a_picture_survives_its_embedding():
    source = re.search(r"base64,([^\"]+)", picture(photo(), "a dress")).group(1)
    image = Image.open(io.BytesIO(base64.b64decode(source)))
    assert image.size == (12, 8)
    assert all(abs(a - b) < 12 for a, b in zip(image.getpixel((6, 4)), (200, 30, 30), strict=True))


def test_right_texts_are_marked():
    listed = ranked_texts(["a", "b", "c"], [False, True, False])
    assert re.findall(r'class="(\w+)">(\w)<', listed) == [("wrong", "a"), ("right", "b"), ("wrong", "c")]
