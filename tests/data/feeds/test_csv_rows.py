"""CSV as shops export it: rows come whole, or the line is named; nothing is lost in silence."""

import csv
from pathlib import Path

import pytest

from hf_fashion.data.feeds.csv_rows import CsvTable


HEADER = "id,image,title\n"
FEED = Path("feed.csv")


def read(text: str) -> list[tuple[int, list]]:
    return [(line, list(row.values())) for line, row in CsvTable(FEED, text, "image").rows()]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (HEADER + "1,a.jpg,Hat\n2,b.jpg,Cap", [(2, ["1", "a.jpg", "Hat"]), (3, ["2", "b.jpg", "Cap"])]),
        (HEADER + '1,a.jpg,12" belt\n', [(2, ["1", "a.jpg", '12" belt'])]),
        (HEADER + '1,a.jpg,"12"" belt"\n', [(2, ["1", "a.jpg", '12" belt'])]),
        (HEADER + '1,a.jpg,"Hat, red"\n', [(2, ["1", "a.jpg", "Hat, red"])]),
        (
            HEADER + '1,a.jpg,"soft\nand, warm"\n2,b.jpg,x\n',
            [(2, ["1", "a.jpg", "soft\nand, warm"]), (4, ["2", "b.jpg", "x"])],
        ),
        (HEADER + "1,a.jpg,\n2,,x\n", [(2, ["1", "a.jpg", None]), (3, ["2", None, "x"])]),
        (HEADER + "1,a.jpg,NA\n", [(2, ["1", "a.jpg", "NA"])]),
        (HEADER + "\n1,a.jpg,Hat\n,,\n  \n2,b.jpg,Cap\n\n", [(3, ["1", "a.jpg", "Hat"]), (6, ["2", "b.jpg", "Cap"])]),
        ('id, image, title\n1, a.jpg, "Hat, red"\n', [(2, ["1", "a.jpg", "Hat, red"])]),
        (HEADER + '1 ,\ta.jpg ," Hat, red "\n', [(2, ["1", "a.jpg", "Hat, red"])]),
        ("sep=;\nid;image;title\n1;a.jpg;Hat, red\n", [(3, ["1", "a.jpg", "Hat, red"])]),
        ("sep=\t\r\nid\timage\ttitle\r\n1\ta.jpg\tHat, red\r\n", [(3, ["1", "a.jpg", "Hat, red"])]),
        ("SEP=|\r\nid|image|title\r\n1|a.jpg|Hat\r\n", [(3, ["1", "a.jpg", "Hat"])]),
        ("id;image;title, long, and more\n1;a.jpg;x\n", [(2, ["1", "a.jpg", "x"])]),
        ("id\timage\ttitle\n1\ta.jpg\tHat; Cap\n", [(2, ["1", "a.jpg", "Hat; Cap"])]),
        ("id|image|title\n1|a.jpg|a,b\n", [(2, ["1", "a.jpg", "a,b"])]),
        ('"id","image","title, long"\n1,a.jpg,x\n', [(2, ["1", "a.jpg", "x"])]),
        ("id,image,title,,\n1,a.jpg,Hat,,\n", [(2, ["1", "a.jpg", "Hat"])]),
        (HEADER + "1,a.jpg,Hat,,\n", [(2, ["1", "a.jpg", "Hat"])]),
        (
            HEADER.replace("\n", "\r") + "1,a.jpg,Hat\r2,b.jpg,Cap\r",
            [(2, ["1", "a.jpg", "Hat"]), (3, ["2", "b.jpg", "Cap"])],
        ),
        (HEADER + f"1,a.jpg,{'x' * 200_000}\n", [(2, ["1", "a.jpg", "x" * 200_000])]),
        ("image\na.jpg\nb.jpg\n", [(2, ["a.jpg"]), (3, ["b.jpg"])]),
        ("", []),
        (HEADER, []),
    ],
)
def test_rows_come_whole(text, rows):
    assert read(text) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + '1,a.jpg,x\n2,b.jpg,"12 inch belt\n3,c.jpg,x\n', r"line 3: a quote is not closed"),
        (
            HEADER + '1,a.jpg,"12 inch\n2,b.jpg,13"\n3,c.jpg,x\n',
            r"line 2: a quoted cell goes on over line 3.*'2,b.jpg,13'",
        ),
        (HEADER + '1,a.jpg,"x"y\n', r"line 2: a quote is not closed, or text follows it"),
        ("id,image,title,brand,title\n1,a.jpg,x,b,y\n", r"line 1: the header names the column 'title' 2 times"),
        ("id,image, id\n1,a.jpg,x\n", r"the column 'id' 2 times"),
        (HEADER + "1,a.jpg,x\n2,b.jpg\n", r"line 3: fewer cells \(2\) than the header has columns \(3\)"),
        (HEADER + "1,a.jpg,Hat,red\n", r"line 2: more cells \(4\) than the header has columns \(3\)"),
        ("id,image,title,,\n1,a.jpg,Hat,,x\n", r"line 2: column 5 holds 'x' and has no name"),
        (",image,title\n0,a.jpg,Hat\n", r"line 2: column 1 holds '0' and has no name"),
        ("sep=;\nid;image;title\n1;a.jpg\n", r"line 3: fewer cells"),
        ("sep=;;\nid;image;title\n", r"line 1: sep= names ';;' as the delimiter, and it must be one character"),
    ],
)
def test_a_row_that_would_be_lost_is_named(text, message):
    with pytest.raises(ValueError, match=rf"feed\.csv, {message}" if message.startswith("line") else message):
        read(text)


def test_the_limit_of_cells_is_as_it_was():
    before = csv.field_size_limit()
    read(HEADER + "1,a.jpg,Hat\n")
    assert csv.field_size_limit() == before


def test_all_rows_that_do_not_fit_are_named_at_once():
    text = HEADER + '1,a.jpg,x\n2,b.jpg\n3,c.jpg,y,z\n4,d.jpg,"open\n5,e.jpg,x\n'
    with pytest.raises(ValueError) as error:
        CsvTable(Path("feed.csv"), text, "image").rows()
    lines = str(error.value).splitlines()
    assert lines[0] == "feed.csv: 3 rows are not as the header says:"
    assert ["line 3: fewer" in lines[1], "line 4: more" in lines[2], "line 5: a quote is not closed" in lines[3]] == [
        True
    ] * 3
