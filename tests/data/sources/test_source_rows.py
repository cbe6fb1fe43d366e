"""A row keeps the name that its source has for it, through every selection."""

import pytest
from datasets import Dataset, DatasetDict, Image

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.sources.source_rows import SOURCE_ROW, name_sources, own_columns, with_source_rows
from tests.data.corpora import jpeg, products


def named(split: Dataset, rows: list[int]) -> list[str]:
    """The names after a shuffle of the split, in which `rows` are looked for again by their titles."""
    shuffled = split.shuffle(seed=1).filter(lambda title: title != "Shirt number 0", input_columns="title")
    places = [shuffled["title"][:].index(split[row]["title"]) for row in rows]
    return name_sources(shuffled, places, "id", "image")


def test_rows_of_a_feed_are_its_lines(tmp_path):
    (tmp_path / "photos").mkdir()
    lines = ["id,image,title", "", 'p0,photos/0.jpg,"Shirt\nnumber 0"']
    lines += [f"p{number},photos/{number}.jpg,Shirt number {number}" for number in range(1, 6)]
    for number in range(6):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(number))
    (tmp_path / "feed.csv").write_text("\n".join(lines) + "\n")
    train = load_corpus(tmp_path / "feed.csv")["train"]
    photos = tmp_path / "photos"
    assert named(train, [5, 1]) == [
        f"feed.csv, line 9 (id 'p5', {photos / '5.jpg'})",
        f"feed.csv, line 5 (id 'p1', {photos / '1.jpg'})",
    ]


def test_objects_of_a_json_list_are_counted(tmp_path):
    (tmp_path / "0.jpg").write_bytes(jpeg(0))
    (tmp_path / "feed.json").write_text('[{"image": "0.jpg", "id": 1},\n\n {"image": "0.jpg", "id": 2}]')
    train = load_corpus(tmp_path / "feed.json")["train"]
    assert train[SOURCE_ROW][:] == ["feed.json, row 1", "feed.json, row 2"]


def test_a_photo_of_a_folder_is_named_once(tmp_path):
    (tmp_path / "coats").mkdir()
    (tmp_path / "coats" / "1.jpg").write_bytes(jpeg(0))
    train = load_corpus(tmp_path)["train"]
    assert name_sources(train, [0], "file_name", "image") == ["coats/1.jpg"]


def test_rows_of_parquet_and_saved_datasets_are_those_of_their_split(tmp_path):
    products(5).to_parquet(tmp_path / "test.parquet")
    DatasetDict(train=products(5)).save_to_disk(tmp_path / "saved")
    assert named(load_corpus(tmp_path / "test.parquet")["test"], [4, 2]) == [
        "test[4] (id 'p004')",
        "test[2] (id 'p002')",
    ]
    assert named(load_corpus(tmp_path / "saved")["train"], [3]) == ["train[3] (id 'p003')"]


def test_the_column_is_added_once_and_always_with_the_same_fingerprint():
    one, other = (with_source_rows(DatasetDict(train=products(3)))["train"] for _ in range(2))
    assert one._fingerprint == other._fingerprint != products(3)._fingerprint
    halves = DatasetDict(validation=one.select([2]))
    assert with_source_rows(halves)["validation"][SOURCE_ROW][:] == ["train[2]"]
    assert own_columns(one) == products(3).column_names


@pytest.mark.parametrize("path", ["a.jpg", None])
def test_without_the_column_rows_are_counted(path):
    cells = [{"bytes": jpeg(0), "path": path}] * 2
    dataset = Dataset.from_dict({"image": cells}).cast_column("image", Image())
    assert name_sources(dataset, [1], "sku", "image") == ["row 1 (a.jpg)" if path else "row 1"]
    assert name_sources(dataset, []) == []
