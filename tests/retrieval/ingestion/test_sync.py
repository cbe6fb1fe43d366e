"""A gallery follows its catalogue: photos by their bytes, metadata by their values, nothing twice and nothing lost."""

import signal
import time

import pyarrow as pa
import pytest
import torch
from datasets import Dataset, Image, Value

from hf_fashion.retrieval.gallery import Gallery
from tests.data.corpora import jpeg, products
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.warm_processes import WarmProcess


COLUMNS = ["brand", "title"]


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def embedded(uri, model, dataset, columns=COLUMNS) -> Gallery:
    options = {"id_column": "id", "metadata_columns": columns, "batch_size": 4, "progress": False}
    return Gallery.from_dataset(dataset, model, tiny_processor(), uri=uri, **options)


def synced(gallery: Gallery, model, dataset, **options):
    return gallery.sync(dataset, model, tiny_processor(), id_column="id", batch_size=4, progress=False, **options)


def changed(dataset: Dataset, row: int, **values) -> Dataset:
    """The dataset with other values in a row; a photo is given by its seed."""
    if "image" in values:
        values["image"] = {"bytes": jpeg(values["image"]), "path": None}
    encoded = dataset.cast_column("image", Image(decode=False))
    edit = encoded.map(lambda cells, number: cells | values if number == row else cells, with_indices=True)
    return edit.cast_column("image", Image())


def rows(gallery: Gallery) -> dict[str, tuple]:
    """Of each product vector, metadata and photo's hash."""
    table = gallery.products().sort_by("id").to_pylist()
    vectors = gallery.vectors([row["id"] for row in table], "image").tolist()
    return {row["id"]: (vector, row) for row, vector in zip(table, vectors, strict=True)}


def test_the_gallery_becomes_that_of_the_changed_catalogue(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(9))
    catalogue = changed(products(11), 2, image=77)
    catalogue = changed(catalogue, 3, brand="Acme")
    catalogue = changed(catalogue, 5, image=78, title="another shirt").select([0, *range(2, 11)])
    report = synced(gallery, model, catalogue, delete_missing=True)
    assert (report.added, report.embedded_again, report.updated) == (("p009", "p010"), ("p002", "p005"), ("p003",))
    assert (report.deleted, report.kept, report.unchanged) == (("p001",), (), 5)
    assert rows(gallery) == rows(embedded(tmp_path / "other", model, catalogue))
    again = synced(gallery, model, catalogue, delete_missing=True)
    assert str(again).startswith("0 added, 0 embedded again") and again.unchanged == 10


def test_metadata_are_updated_without_embedding(tmp_path, model, monkeypatch):
    gallery = embedded(tmp_path / "gallery", model, products(6))
    before = rows(gallery)
    monkeypatch.setattr(type(model), "get_image_features", None)
    report = synced(gallery, model, changed(changed(products(6), 1, title="new"), 4, brand=None))
    assert report.updated == ("p001", "p004")
    after = rows(gallery)
    assert {product: row for product, (_, row) in after.items() if row != before[product][1]} == {
        "p001": before["p001"][1] | {"title": "new"},
        "p004": before["p004"][1] | {"brand": None},
    }
    assert all(after[product][0] == before[product][0] for product in before)


def test_without_delete_missing_products_are_kept_and_counted(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(6))
    report = synced(gallery, model, products(4))
    assert report.kept == ("p004", "p005") and report.deleted == () and len(gallery) == 6
    assert "2 kept that the catalogue does not have" in str(report)


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(6))
    before, version = rows(gallery), gallery.info()["version"]
    catalogue = changed(products(8), 2, image=77).select(range(1, 8))
    dry = synced(gallery, model, catalogue, delete_missing=True, dry_run=True)
    assert str(dry).startswith("nothing was changed; without `dry_run`: 2 added, 1 embedded again")
    assert rows(gallery) == before and gallery.info()["version"] == version
    done = synced(gallery, model, catalogue, delete_missing=True)
    assert (dry.added, dry.embedded_again, dry.deleted) == (done.added, done.embedded_again, done.deleted)


def test_products_that_were_added_without_a_hash_are_embedded_again_once(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(3))
    wrong = {"brand": ["Lumaro"], "title": ["Shirt number 0"]}
    gallery.add(["p000"], {"image": torch.ones(1, 12)}, wrong)
    assert synced(gallery, model, products(3)).embedded_again == ("p000",)
    assert rows(gallery) == rows(embedded(tmp_path / "other", model, products(3)))
    assert synced(gallery, model, products(3)).unchanged == 3


def test_numbers_take_the_type_that_the_gallery_has(tmp_path, model):
    """A feed's prices may all be whole today and not tomorrow."""
    priced = products(4).add_column("price", [1.5, 2.0, 3.0, None])
    gallery = embedded(tmp_path / "gallery", model, priced, ["price"])
    whole = products(4).add_column("price", [1, 2, 3, 4])
    assert synced(gallery, model, whole).updated == ("p000", "p003")
    assert gallery.products().sort_by("id")["price"].to_pylist() == [1.0, 2.0, 3.0, 4.0]
    text = whole.cast_column("price", Value("string"))
    with pytest.raises(
        ValueError, match=r"`metadata\['price'\]` must hold double or None.*row 0 \(id 'p000'\) is the"
    ):
        synced(gallery, model, text)


def test_numbers_are_text_where_the_gallery_has_text(tmp_path, model, caplog):
    """Sizes are S, M and 38 on one day, and all 38 on the next."""
    sizes = products(4).add_column("size", ["S", "38", "38.5", None])
    gallery = embedded(tmp_path / "gallery", model, sizes, ["size"])
    digits = products(5).add_column("size", [40.0, 38.0, 38.5, None, 41.0])
    assert synced(gallery, model, digits).updated == ("p000",)
    assert "column 'size' is text in the gallery and double in this catalogue" in caplog.text
    assert gallery.products().sort_by("id")["size"].to_pylist() == ["40", "38", "38.5", None, "41"]
    embedded(tmp_path / "gallery", model, products(6).add_column("size", [40, 38, 1, 2, 41, 42]), ["size"])
    assert gallery.products().sort_by("id")["size"].to_pylist() == ["40", "38", "38.5", None, "41", "42"]


def test_a_text_in_a_column_of_lists_is_refused_with_its_row(tmp_path, model):
    """A feed that writes one colour as text, and several as a list."""
    colours = products(3).add_column("colours", [["red"], ["blue", "red"], None])
    gallery = embedded(tmp_path / "gallery", model, colours, ["colours"])
    today = products(3).add_column("colours", [None, None, "red"])
    with pytest.raises(ValueError, match=r"`metadata\['colours'\]`.*row 2 \(id 'p002'\) is 'red', which is no list"):
        synced(gallery, model, today)
    assert gallery.products().sort_by("id")["colours"].to_pylist() == [["red"], ["blue", "red"], None]


def test_a_column_may_be_empty_for_a_day(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(2).add_column("sale", [1.5, None]), ["sale"])
    assert synced(gallery, model, products(2).add_column("sale", [None, None])).updated == ("p000",)
    embedded(tmp_path / "gallery", model, products(3).add_column("sale", [None] * 3), ["sale"])
    assert gallery.products()["sale"].to_pylist() == [None] * 3


def test_a_value_for_a_column_that_was_made_without_a_type_is_refused_with_advice(tmp_path, model):
    """Earlier versions made such galleries."""
    source = products(2).add_column("sale", [None, None])
    gallery = embedded(tmp_path / "gallery", model, source, [])
    fingerprint = gallery.info()["fingerprint"]
    gallery = Gallery.create(tmp_path / "other", gallery.schema.spaces, pa.schema([("sale", pa.null())]), fingerprint)
    today = products(2).add_column("sale", [None, "-20%"])
    with pytest.raises(
        ValueError, match=r"row 1 \(id 'p001'\) is '-20%'.*was empty when the gallery was made.*another"
    ):
        synced(gallery, model, today)
    assert len(gallery) == 0


def test_it_refuses_before_anything_is_changed(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(4))
    other_ids = products(4, first=50)
    with pytest.raises(ValueError, match=r"would delete all 4 products .* ids like 'p000', the catalogue like 'p050'"):
        synced(gallery, model, other_ids, delete_missing=True)
    with pytest.raises(ValueError, match="their vectors cannot be compared"):
        synced(gallery, tiny_model(seed=1), products(4))
    with pytest.raises(ValueError, match=r"no column 'brand', which the gallery has.*Add the column to the cat"):
        synced(gallery, model, products(4).remove_columns("brand"))
    assert sorted(gallery.ids()) == products(4)["id"][:]


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batches_of_no_photo_are_refused_before_anything_is_done(tmp_path, model, batch_size):
    """Of a negative size there would be no batch, and a report of products that were never added."""
    options = {"id_column": "id", "batch_size": batch_size}
    processor, message = tiny_processor(), rf"`batch_size`, .* must be at least 1, got {batch_size}"
    with pytest.raises(ValueError, match=message):
        Gallery.from_dataset(products(4), model, processor, uri=tmp_path / "gallery", **options)
    assert not (tmp_path / "gallery").exists()
    gallery = embedded(tmp_path / "gallery", model, products(4))
    with pytest.raises(ValueError, match=message):
        gallery.sync(products(6).remove_columns("brand"), model, processor, **options)
    with pytest.raises(ValueError, match=message):
        gallery.add_spaces(products(4), model, processor, uri=tmp_path / "other", **options)


def test_embedding_a_changed_catalogue_warns_and_keeps_the_products(tmp_path, model, caplog):
    gallery = embedded(tmp_path / "gallery", model, products(5))
    before = rows(gallery)
    catalogue = changed(changed(products(6), 1, image=9), 2, title="new").select([0, 1, 2, 3, 5])
    embedded(tmp_path / "gallery", model, catalogue)
    (warning,) = [record.message for record in caplog.records]
    assert "1 have another photo (such as 'p001'), 1 have other metadata (such as 'p002')" in warning
    assert "1 are not in the catalogue (such as 'p004')" in warning and "hf-fashion sync" in warning
    assert {product: row for product, row in rows(gallery).items() if product != "p005"} == before


KILLED = """
import sys
from datasets import load_from_disk
from transformers import AutoModel, AutoProcessor
import hf_fashion

model, processor = AutoModel.from_pretrained(sys.argv[1]), AutoProcessor.from_pretrained(sys.argv[1])
gallery = hf_fashion.Gallery.open(sys.argv[2])
gallery.sync(load_from_disk(sys.argv[3]), model, processor, id_column="id", batch_size=1, delete_missing=True)
"""


def test_killed_and_called_again_it_ends_as_if_undisturbed(tmp_path, model):
    gallery = embedded(tmp_path / "gallery", model, products(40))
    model.save_pretrained(tmp_path / "model")
    tiny_processor().save_pretrained(tmp_path / "model")
    catalogue = products(60, first=10)
    catalogue.save_to_disk(tmp_path / "products")
    places = [str(tmp_path / name) for name in ("model", "gallery", "products")]
    running = WarmProcess(["-c", KILLED, *places])
    while len(gallery) < 45:
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert set(products(40)["id"][:]) < set(Gallery.open(tmp_path / "gallery").ids())
    synced(gallery, model, catalogue, delete_missing=True)
    assert rows(gallery) == rows(embedded(tmp_path / "undisturbed", model, catalogue))
