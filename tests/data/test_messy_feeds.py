"""Messy feeds and folders, as shops have them: each loads whole, or is refused with file, row and reason.

Quotes, headers and lengths of CSV rows are in `feeds/test_csv_rows.py`; here are whole corpora.
"""

import json

import pytest
from datasets import Dataset

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.values import column_texts
from tests.data.corpora import jpeg


COLUMN_MAP = ColumnMap(caption="title", product_id="id")
HEADER = "id,image,title\n"


def rows(*numbers: int, separator: str = ",", quote: str = "") -> str:
    cells = ([f"{number:03d}", f"p/{number}.jpg", f"Hat {number}"] for number in numbers)
    return "".join(separator.join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in cells)


def objects(*numbers: int) -> list[dict]:
    return [{"id": f"{number:03d}", "image": f"p/{number}.jpg", "title": f"Hat {number}"} for number in numbers]


def lines(*numbers: int) -> str:
    return "".join(json.dumps(row) + "\n" for row in objects(*numbers))


def make(folder, files: dict) -> None:
    """Write files: text, bytes, or the number of a photo."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = jpeg(content) if isinstance(content, int) else content
        path.write_bytes(content.encode() if isinstance(content, str) else content)


PHOTOS = {f"p/{number}.jpg": number for number in range(4)}

# Name: (files, source in the folder, ids by split).
WHOLE = {
    "Excel in German": (
        {"f.csv": ("sep=;\n" + HEADER.replace(",", ";") + rows(0, 1, separator=";"))},
        "f.csv",
        "000 001",
    ),
    "Excel as UTF-16": (
        {"f.csv": (HEADER.replace(",", "\t") + rows(0, 1, separator="\t")).encode("utf-16")},
        "f.csv",
        "000 001",
    ),
    "Windows-1252": ({"f.csv": (HEADER + "000,p/0.jpg,Café\n" + rows(1)).encode("cp1252")}, "f.csv", "000 001"),
    "line ends of Windows": ({"f.csv": (HEADER + rows(0, 1)).replace("\n", "\r\n")}, "f.csv", "000 001"),
    "all cells in quotes": ({"f.CSV": '"id","image","title"\n' + rows(0, 1, quote='"')}, "f.CSV", "000 001"),
    "no last line end": ({"f.csv": (HEADER + rows(0, 1)).strip()}, "f.csv", "000 001"),
    "JSON with a byte order mark": (
        {"f.json": b"\xef\xbb\xbf" + json.dumps(objects(0, 1)).encode()},
        "f.json",
        "000 001",
    ),
    "JSON lines with empty lines": ({"f.jsonl": "\n" + lines(0, 1).replace("\n", "\n\n")}, "f.jsonl", "000 001"),
    "a feed next to its photos": ({"f.csv": HEADER + rows(0, 1, 2, 3), "notes.txt": "x"}, "", "000 001 002 003"),
    "feeds of splits": (
        {"train.csv": HEADER + rows(0, 1), "validation.tsv": (HEADER + rows(2, 3)).replace(",", "\t")},
        "",
        "000 001 002 003",
    ),
    "one split in two feeds": (
        {"train-1.csv": HEADER + rows(0, 1), "train-2.jsonl": lines(2, 3)},
        "",
        "000 001 002 003",
    ),
    "metadata of photos": (
        {"p/metadata.csv": (HEADER + rows(0, 1, 2, 3)).replace("p/", "").replace("image", "file_name")},
        "",
        "000 001 002 003",
    ),
    "feeds in brackets": ({"shop [12]/f.csv": (HEADER + rows(0)).replace("p/", "../p/")}, "shop [12]", "000"),
    "ids that are numbers": ({"f.csv": HEADER + rows(0, 1).replace("00", "")}, "f.csv", "0 1"),
    "a price on request": ({"f.csv": "id,image,title,price\n0,p/0.jpg,Hat,9.50\n1,p/1.jpg,Cap,ask\n"}, "f.csv", "0 1"),
    "a title in Chinese": ({"f.csv": HEADER + "1,p/1.jpg,红色连衣裙\n"}, "f.csv", "1"),
    "a title of several lines": ({"f.csv": HEADER + '1,p/1.jpg,"Hat,\nsoft"\n2,p/2.jpg,Cap\n'}, "f.csv", "1 2"),
}

# Name: (files, source in the folder, what the message must match).
REFUSED = {
    "a stray quote": (
        {"f.csv": HEADER + rows(0) + '1,p/1.jpg,"12 inch\n' + rows(2)},
        "f.csv",
        r"f\.csv, line 3: a quote",
    ),
    "a row that is short": ({"f.csv": HEADER + rows(0) + "1,p/1.jpg\n"}, "f.csv", r"f\.csv, line 3: fewer cells"),
    "a header of data": ({"f.csv": rows(0, 1)}, "f.csv", r"f\.csv: no column 'image'.*--image_column"),
    "two encodings": (
        {"f.csv": HEADER.encode() + "0,p/0.jpg,é\n".encode() + "1,p/1.jpg,é\n".encode("cp1252")},
        "f.csv",
        r"line 3 is not UTF-8",
    ),
    "an empty file": ({"f.csv": ""}, "f.csv", r"f\.csv: the feed has no rows"),
    "only a header": ({"f.csv": HEADER}, "f.csv", r"f\.csv: the feed has no rows"),
    "photos that are not there": (
        {"f.csv": HEADER + rows(0, 7, 1, 8)},
        "f.csv",
        r"f\.csv, line 3 \(id '007', .*7\.jpg\): there is no such file;\n.*line 5",
    ),
    "a photo that is a web page": (
        {"p/0.jpg": "<html>", "f.csv": HEADER + rows(1, 0)},
        "f.csv",
        r"f\.csv, line 3 \(id '000', .*0\.jpg\): the file is no photo",
    ),
    "a photo that is empty": (
        {"p/0.jpg": b"", "f.csv": HEADER + rows(1, 0)},
        "f.csv",
        r"f\.csv, line 3 \(id '000', .*0\.jpg\): the file is no photo",
    ),
    "a photo that is cut off": (
        {"p/0.jpg": jpeg(0)[:-200], "f.jsonl": lines(1, 0)},
        "f.jsonl",
        r"f\.jsonl, line 2 \(id '000', .*0\.jpg\): .*[Tt]runcated",
    ),
    "a cell without a photo": (
        {"f.csv": HEADER + rows(0) + "1,,Cap\n"},
        "f.csv",
        r"f\.csv, line 3 \(id '1'\): no image",
    ),
    "a photo that is a folder": (
        {"p/x.jpg/1.txt": "", "f.csv": HEADER + "1,p/x.jpg,Cap\n"},
        "f.csv",
        r"f\.csv, line 2 \(id '1', .*x\.jpg\): .*directory",
    ),
    "URLs": (
        {"f.jsonl": lines(0) + '{"image": "https://a.b/1.jpg"}'},
        "f.jsonl",
        r"f\.jsonl, line 2: 'https://a\.b/1\.jpg' is a URL",
    ),
    "a title that is missing": (
        {"f.csv": HEADER + rows(0) + "1,p/1.jpg,\n"},
        "f.csv",
        r"without a caption.*\n    f\.csv, line 3 \(id '1', .*p/1\.jpg\)",
    ),
    "a column of two types": (
        {"f.json": json.dumps([*objects(0), {"id": 1, "image": "p/1.jpg", "title": "x"}])},
        "f.json",
        r"f\.json, row 2: column 'id' has 1, which a table cannot hold with '000'",
    ),
    "one photo in two splits": (
        {"train.csv": HEADER + rows(0, 1), "validation.csv": HEADER + "\n9,p/1.jpg,Coat\n"},
        "",
        r"train: train\.csv, line 3 \(id '001', .*\) = validation: validation\.csv, line 3 \(id '9'",
    ),
    "two feeds": ({"a.csv": HEADER + rows(0), "b.csv": HEADER + rows(1)}, "", r"several feeds \(a\.csv, b\.csv\)"),
    "feeds of a split that differ": (
        {"train-1.csv": HEADER + rows(0), "train-2.csv": "id,image\n1,p/1.jpg\n"},
        "",
        r"train-1\.csv and .*train-2\.csv .*only one of them has: title",
    ),
    "parquet of URLs": (
        {"f.parquet": [["https://a.b/1.jpg"]]},
        "f.parquet",
        r"train\[0\]: 'https://a\.b/1\.jpg' in column 'image' is a URL",
    ),
    "nothing": ({"empty/.keep": ""}, "empty", r"empty is no corpus .*1 hidden \(\.keep\)"),
    "a folder that is not there": ({}, "photo", r"no corpus at .*photo"),
    "photos next to splits": (
        {"s/train/0.jpg": 0, "s/test/1.jpg": 1, "s/2.jpg": 2},
        "s",
        r"splits \(test, train\) and other files next to them, in the folder itself",
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_it_loads_whole(tmp_path, name):
    files, source, ids = WHOLE[name]
    make(tmp_path, PHOTOS | files)
    corpus = load_corpus(tmp_path / source)
    assert [found for split in corpus.values() for found in column_texts(split, "id")] == ids.split()
    assert all(row["image"].size == (12, 16) and row["title"] for split in corpus.values() for row in split)
    _, report = check_corpus(corpus, COLUMN_MAP)
    assert report.rows == {name: len(split) for name, split in corpus.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_file_row_and_reason(tmp_path, name):
    files, source, message = REFUSED[name]
    tables = {name: rows for name, rows in files.items() if isinstance(rows, list)}
    make(tmp_path, PHOTOS | {name: content for name, content in files.items() if name not in tables})
    for name, (cells,) in tables.items():
        Dataset.from_dict({"image": cells}).to_parquet(tmp_path / name)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        check_corpus(load_corpus(tmp_path / source, require_files=False), COLUMN_MAP)
    assert "<_io" not in str(error.value) and "0x" not in str(error.value)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["dress/1.jpg", "coat/1.jpg", "test/1.jpg"], ["coat/1.jpg", "dress/1.jpg", "test/1.jpg"]),
        (["1.JPG", "2.avif", "3.tiff", "4.jfif"], ["1.JPG", "2.avif", "3.tiff", "4.jfif"]),
        (["a b/ü.jpg", "a%20b/[1].jpg", "-x.jpg", "#1?.jpg"], ["#1?.jpg", "-x.jpg", "a b/ü.jpg", "a%20b/[1].jpg"]),
        (["deep/er/and/deeper/1.jpg", "1.jpg", "._1.jpg"], ["1.jpg", "deep/er/and/deeper/1.jpg"]),
        (["train/1.jpg", "0.jpg"], ["0.jpg", "train/1.jpg"]),
    ],
)
def test_folders_of_photos_load_whole(tmp_path, names, ids):
    make(tmp_path, dict.fromkeys(names, 0))
    (split,) = load_corpus(tmp_path).values()
    assert split["file_name"][:] == ids and all(row["image"].size == (12, 16) for row in split)


def test_photos_that_cannot_be_opened_here_are_named(tmp_path):
    make(tmp_path, {"1.jpg": 1, "2.heic": b"\0\0\0\x18ftypheic", "raw/3.nef": b"II*\0"})
    with pytest.raises(ValueError) as error:
        check_corpus(load_corpus(tmp_path), ColumnMap(), require_caption=False)
    assert "\n    2.heic: the file is no photo" in str(error.value) and "\n    raw/3.nef: " in str(error.value)
