"""From the name of a corpus to a dataset and the columns that a gallery reads."""

import pytest

from hf_fashion.retrieval.ingestion.load_catalogue import load_catalogue
from tests.data.corpora import jpeg


FEED = "sku,image,name\n007,0.jpg,Shirt\n008,1.jpg,Skirt\n"


@pytest.fixture
def folder(tmp_path):
    """Photos in sub-folders that have names in common."""
    for number, name in enumerate(("coats/1.jpg", "dresses/1.jpg", "dresses/2.jpg")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jpeg(number))
    return tmp_path


@pytest.fixture
def feed(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
    (tmp_path / "feed.csv").write_text(FEED)
    return tmp_path / "feed.csv"


def test_a_photo_in_a_plain_folder_is_known_by_its_path_there(folder):
    catalogue = load_catalogue(folder)
    assert (catalogue["id_column"], catalogue["image_column"]) == ("file_name", "image")
    assert sorted(catalogue["dataset"]["file_name"]) == ["coats/1.jpg", "dresses/1.jpg", "dresses/2.jpg"]
    assert catalogue["metadata_columns"] == []


def test_a_column_map_says_which_columns_are_read(feed, tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("product_id: sku\ntags: {name: name}\n")
    catalogue = load_catalogue(feed, column_map=str(path))
    assert (catalogue["id_column"], catalogue["metadata_columns"]) == ("sku", ["name"])
    assert catalogue["dataset"]["sku"][:] == ["007", "008"]


def test_columns_that_are_named_go_before_those_of_the_map(feed, tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("image: picture\nproduct_id: name\n")
    names = {"id_column": "sku", "image_column": "image", "metadata_columns": ["name"]}
    catalogue = load_catalogue(feed, column_map=str(path), **names)
    assert {name: catalogue[name] for name in names} == names


def test_the_split_must_be_named_where_there_are_several(feed):
    for split in ("train", "validation"):
        (feed.parent / f"{split}.csv").write_text(FEED)
    with pytest.raises(ValueError, match="`split` must be given where there are several, there are train, validation"):
        load_catalogue(feed.parent)
    with pytest.raises(ValueError, match=r"no split 'validate' .did you mean 'validation'"):
        load_catalogue(feed.parent, "validate")
    assert len(load_catalogue(feed.parent, "validation", "sku")["dataset"]) == 2


def test_metadata_columns_are_a_list_of_different_names(folder):
    with pytest.raises(ValueError, match="must be a list of names, got the text 'file_name'"):
        load_catalogue(folder, metadata_columns="file_name")
    with pytest.raises(ValueError, match="must name each column once"):
        load_catalogue(folder, metadata_columns=["file_name", "file_name"])
