"""Encodings of feeds: what is not UTF-8 is read and said, or refused with its line."""

import logging

import pytest

from hf_fashion.data.feeds.encoding import read_text


TEXT = "id,image,title\n1,a.jpg,Größe\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), None),
        (TEXT.encode("cp1252"), "CP1252"),
        (TEXT.encode("utf-16"), "UTF-16-LE"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16-BE"),
        (TEXT.encode("utf-16-le"), "UTF-16-LE"),
        (TEXT.encode("utf-16-be"), "UTF-16-BE"),
    ],
)
def test_text_is_the_same_in_every_encoding(tmp_path, caplog, content, said):
    path = tmp_path / "feed.csv"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert read_text(path) == TEXT
    assert [record.getMessage() for record in caplog.records] == (
        [] if said is None else [f"{path} is not UTF-8; it is read as {said}"]
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode() + "2,b.jpg,weiß\n".encode("cp1252"), r"feed\.csv, line 3 is not UTF-8, line 2 is"),
        (b"id,image\n1,a\x81.jpg\n", r"feed\.csv, line 2: the file is neither UTF-8 nor CP1252"),
        (TEXT.encode() + b"2,b.jpg,\0\n", r"feed\.csv, line 3: a zero byte, which no text has"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(tmp_path, content, message):
    (tmp_path / "feed.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_text(tmp_path / "feed.csv")
