"""What is in a folder: each file is of one kind, and none is forgotten."""

import os

import pytest

from hf_fashion.data.sources.folder_listing import FolderListing, list_folder, split_of, summarise


def make(folder, *names: str) -> FolderListing:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return list_folder(folder)


def test_every_file_is_of_one_kind(tmp_path):
    listing = make(
        tmp_path,
        *("b.JPG", "a/1.avif", "c.heic", "d.tga"),
        *("feed.CSV", "a/b/rows.jsonl", "data/train.parquet"),
        *("notes.txt", "README", ".DS_Store", "a/._1.jpg", "__MACOSX/1.jpg", "Thumbs.db", ".git/1.jpg"),
    )
    assert listing.photos == ["a/1.avif", "b.JPG", "c.heic", "d.tga"]
    assert listing.feeds == ["a/b/rows.jsonl", "feed.CSV"]
    assert listing.tables == ["data/train.parquet"]
    assert listing.others == [
        *(".DS_Store", ".git/1.jpg", "README", "Thumbs.db", "__MACOSX/1.jpg", "a/._1.jpg", "notes.txt"),
    ]


def test_links_are_followed_but_not_in_circles(tmp_path):
    (tmp_path / "shop" / "a").mkdir(parents=True)
    (tmp_path / "shop" / "a" / "1.jpg").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.jpg").touch()
    (tmp_path / "shop" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "shop" / "a" / "circle").symlink_to(tmp_path / "shop")
    assert list_folder(tmp_path / "shop").photos == ["a/1.jpg", "link/2.jpg"]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    with pytest.raises(ValueError, match=r"the name of the file 'caf\\udce9\.jpg' is not UTF-8"):
        list_folder(tmp_path)


def test_left_files_are_counted_by_ending():
    paths = ["a.txt", "b.txt", "c.txt", "sub/d.txt", ".DS_Store", "LICENSE", "x.MOV"]
    assert summarise(paths) == (
        "1 .mov (x.MOV), 4 .txt (a.txt, b.txt, c.txt, ...), 1 hidden (.DS_Store), 1 without ending (LICENSE)"
    )


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.parquet", "train"),
        ("validation-00000-of-00002.parquet", "validation"),
        ("Test_photos", "test"),
        ("fashion.parquet", None),
        ("training", None),
    ],
)
def test_splits_are_the_beginning_of_names(name, split):
    assert split_of(name) == split
