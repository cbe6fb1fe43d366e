"""Fonts that have the letters of a text, and lines of it."""

import pytest
from PIL import Image, ImageDraw, ImageFont

from hf_fashion.reports import fonts
from hf_fashion.reports.fonts import SIZE, font_for, shortened, wrapped


# A font with two letters of ten by ten pixels, a full square and its left half, and what is drawn for all others.
GLYPHS = {"\0": "0300", "外": "FFC0", "套": "F800"}


@pytest.fixture
def chinese(tmp_path, monkeypatch) -> ImageFont.FreeTypeFont:
    lines = ["STARTFONT 2.1", "FONT -t-t-medium-r-normal--10-100-72-72-c-100-iso10646-1", "SIZE 10 72 72"]
    lines += ["FONTBOUNDINGBOX 10 10 0 0", "STARTPROPERTIES 5", "FONT_ASCENT 10", "FONT_DESCENT 0", "PIXEL_SIZE 10"]
    lines += ['CHARSET_REGISTRY "ISO10646"', 'CHARSET_ENCODING "1"', "ENDPROPERTIES", f"CHARS {len(GLYPHS)}"]
    for letter, row in GLYPHS.items():
        lines += [f"STARTCHAR u{ord(letter):X}", f"ENCODING {ord(letter)}", "SWIDTH 1000 0", "DWIDTH 10 0"]
        lines += ["BBX 10 10 0 0", "BITMAP", *[row] * 10, "ENDCHAR"]
    (tmp_path / "chinese.bdf").write_text("\n".join([*lines, "ENDFONT", ""]))
    monkeypatch.setattr(fonts, "FONTS", ("no such font.ttf", str(tmp_path / "chinese.bdf")))
    fonts._fonts.cache_clear()
    yield ImageFont.truetype(str(tmp_path / "chinese.bdf"), SIZE)
    fonts._fonts.cache_clear()


def drawn(text: str) -> bytes:
    picture = Image.new("L", (40, 16), 255)
    ImageDraw.Draw(picture).text((2, 2), text, 0, font_for(text))
    return picture.tobytes()


def test_a_text_is_drawn_in_a_font_that_has_its_letters(chinese):
    assert font_for("外套").path == chinese.path
    assert font_for("a coat").path != chinese.path
    assert drawn("外") != drawn("套") != drawn("套外")


def test_what_no_font_has_is_said(chinese, caplog):
    fonts._warn.cache_clear()
    font_for("コート 外"), font_for("コート 外")
    (record,) = caplog.records
    assert "has 'コトー': boxes are drawn instead" in record.getMessage() and "Noto Sans CJK" in record.getMessage()
    caplog.clear()
    assert font_for("a coat\n").path != chinese.path
    assert caplog.records == []


def test_lines_are_broken_between_words_and_between_chinese_letters(chinese):
    assert wrapped("外套外套外", 25, chinese) == "外套\n外套\n外"
    plain = font_for("a")
    width = int(plain.getlength("a red")) + 1
    assert wrapped("a red red dress\nor", width, plain) == "a red\nred\ndress\nor"
    letters = wrapped("m" * 9, int(plain.getlength("mmm")) + 1, plain)
    assert letters == "mmm\nmmm\nmmm"


def test_of_a_long_name_the_end_is_kept(chinese):
    plain = font_for("a")
    name = "photos/coats/1.jpg"
    assert shortened(name, 1000, plain) == name
    short = shortened(name, 60, plain)
    assert short.startswith("...") and short.endswith("1.jpg") and plain.getlength(short) <= 60
    assert shortened(name, 1, plain) == "..."
