import pytest

from hf_fashion.data.converters.corpus_rows import all_rows, missing_photos, require_distinct, urls_of, views_of
from hf_fashion.data.converters.parquet_files import PartOfFile


def row(image, number, sku="a"):
    return {"image": image, "sku": sku, "source_row": f"a.csv, line {number}"}


def test_urls_are_found_in_all_splits_with_their_first_row():
    splits = {
        "train": [row(["https://a/1.jpg", "b.jpg"], 2), row("https://a/1.jpg", 3)],
        "test": [row("http://b/2", 4)],
    }
    assert urls_of(splits) == {"https://a/1.jpg": "a.csv, line 2", "http://b/2": "a.csv, line 4"}
    assert [len(views_of(one)) for one in all_rows(splits)] == [2, 1, 1] and views_of(row(None, 5)) == []


def test_ids_that_are_missing_or_come_twice_in_a_split_are_named():
    require_distinct({"train": [row("1.jpg", 2)], "test": [row("1.jpg", 3)]}, "sku")
    with pytest.raises(ValueError) as error:
        require_distinct({"train": [row("1.jpg", 2), row("2.jpg", 3, None), row("3.jpg", 4)]}, "sku")
    assert "2 rows without an id of their own in 'sku'" in str(error.value)
    assert "a.csv, line 3: it has none" in str(error.value)
    assert "a.csv, line 4: 'a' is that of a.csv, line 2 too" in str(error.value)


def test_photos_that_are_not_there_are_named(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"photo")
    there, lost, misspelt = (str(tmp_path / name) for name in ("1.jpg", "2.jpg", "1.JPG"))
    part = PartOfFile(tmp_path / "a.tar", 512, 3, "1.jpg")
    rows = [row(there, 2), row([there, lost], 3), row([], 4), row(part, 5), row(None, 6), row("https://a/1.jpg", 7)]
    rows.append(row(misspelt, 8))
    assert missing_photos({"train": rows}) == [
        f"a.csv, line 3: there is no file {lost}",
        "a.csv, line 4: it has no photo",
        "a.csv, line 6: it has no photo",
        f"a.csv, line 8: there is no file {misspelt} (did you mean {there!r}?)",
    ]
