import shutil
import sys

import numpy as np
import pytest
from datasets import Image, List

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.convert import convert_corpus
from hf_fashion.data.converters.fashiongen import READ_COLUMNS, TEXT_COLUMNS, convert_fashiongen, decode_text
from hf_fashion.data.loading import load_corpus


h5py = pytest.importorskip("h5py")

PRODUCTS = [11, 11, 12, 11, 12]
POSES = ["id_gridfs_2", "id_gridfs_1", "id_gridfs_1", "id_gridfs_3", "id_gridfs_2"]


def shade(row):
    return 40 * row + 10


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "tiny.h5"
    with h5py.File(path, "w") as file:
        photos = [np.full((16, 16, 3), shade(row), dtype=np.uint8) for row in range(len(PRODUCTS))]
        file["input_image"] = np.stack(photos)
        file["input_productID"] = np.array(PRODUCTS)[:, None]
        file["input_pose"] = np.array([[pose.encode()] for pose in POSES])
        for name, column in TEXT_COLUMNS.items():
            file[column] = np.array([[f"{name} caf\xe9 {product}".encode("latin-1")] for product in PRODUCTS])
    return path


def test_one_row_a_product_with_its_views_in_order(source, tmp_path):
    assert convert_fashiongen({"train": source}, tmp_path / "out") == {"train": 2}
    dataset = load_corpus(tmp_path / "out")["train"]
    assert dataset.features["image"] == List(Image())
    assert dataset["product_id"][:] == ["11", "12"]
    assert dataset["description"][:] == ["description café 11", "description café 12"]
    assert dataset["pose"][0] == ["id_gridfs_1", "id_gridfs_2", "id_gridfs_3"]
    shades = [[round(np.asarray(view).mean()) for view in views] for views in dataset["image"]]
    np.testing.assert_allclose(shades[0], [shade(1), shade(0), shade(3)], atol=2)
    np.testing.assert_allclose(shades[1], [shade(2), shade(4)], atol=2)


def test_the_shipped_map_fits(source, tmp_path):
    convert_fashiongen({"train": source}, tmp_path / "out")
    _, report = check_corpus(load_corpus(tmp_path / "out"), ColumnMap.shipped("fashiongen"))
    assert report.rows == {"train": 2}


def test_one_row_a_view(source, tmp_path):
    assert convert_fashiongen({"validation": source}, tmp_path / "out", one_row_per="view") == {"validation": 5}
    dataset = load_corpus(tmp_path / "out")["validation"]
    assert dataset["product_id"][:] == [str(product) for product in PRODUCTS]
    assert dataset["pose"][:] == POSES


def test_a_folder_by_the_names_of_its_files(source, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    for split in ("train", "validation"):
        shutil.copyfile(source, folder / f"fashiongen_256_256_{split}.h5")
    assert convert_corpus("fashiongen", folder, tmp_path / "out") == {"train": 2, "validation": 2}
    assert sorted(load_corpus(tmp_path / "out")) == ["train", "validation"]
    with pytest.raises(ValueError, match=r"`images` .* those of Fashion-Gen are in its HDF5 files"):
        convert_corpus("fashiongen", folder, tmp_path / "other", images=tmp_path)
    with pytest.raises(ValueError, match="fashiongen has all its photos in files: it takes no `fetch_images`"):
        convert_corpus("fashiongen", folder, tmp_path / "other", fetch_images=tmp_path)
    shutil.copyfile(source, folder / "train-2.h5")
    with pytest.raises(ValueError, match="are both of the split 'train': name the one to read"):
        convert_corpus("fashiongen", folder, tmp_path / "other")


def test_a_failure_leaves_no_half_file(source, tmp_path):
    with h5py.File(source, "a") as file:
        del file["input_season"]
        file["input_season"] = np.array([[b"Spring"]])  # too short: the second product has none
    with pytest.raises(Exception, match=r"[Ii]ndex"):
        convert_fashiongen({"train": source}, tmp_path / "out")
    assert not (tmp_path / "out" / "train.parquet").exists()


def test_missing_columns_and_wrong_arguments_are_named(source, tmp_path):
    with h5py.File(source, "a") as file:
        del file["input_brand"]
    with pytest.raises(ValueError, match=r"tiny\.h5: no input_brand; the file holds: .*input_pose"):
        convert_fashiongen({"train": source}, tmp_path / "out")
    with pytest.raises(ValueError, match="`one_row_per` must be 'product' or 'view', got 'photo'"):
        convert_fashiongen({}, tmp_path / "out", one_row_per="photo")
    assert "input_brand" in READ_COLUMNS


def test_without_h5py_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"hf-fashion\[fashiongen\]"):
        convert_fashiongen({}, tmp_path)


def test_text_is_utf8_or_latin1_without_html_breaks():
    assert decode_text(np.array(["crêpe<br>silk".encode()])) == "crêpe silk"
    assert decode_text(np.array(["crêpe".encode("latin-1")])) == "crêpe"
    assert decode_text(np.array([b"  "])) is None
