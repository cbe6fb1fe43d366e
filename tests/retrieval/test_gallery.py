"""A gallery in each store: created, filled, searched, changed, opened again."""

import multiprocessing
import pickle
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.fingerprint import embedder_fingerprint, model_fingerprint
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval.galleries import METADATA, SPACES, brute_force, filled, ids, metadata, vectors
from tests.tiny_e2 import tiny_model, tiny_processor


SPACE = "sleeve length"


def test_every_change_has_another_version(place):
    gallery = filled(place)
    before = gallery.version
    assert gallery.version == before == gallery.info()["version"]
    gallery.delete(ids(1))
    assert gallery.version != before


@pytest.mark.usefixtures("either_search")
@pytest.mark.parametrize("top_k", [1, 7, 1000])
@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (None, lambda number: True),
        ("brand = 'Lumaro' AND price < 20", lambda number: number % 3 == 0 and number < 20),
        ("brand IS NULL", lambda number: number % 3 == 2),
        ("`sub-category` = 'coat'", lambda number: number % 2 == 1),
        ("id IN ('p001', 'p004')", lambda number: number in (1, 4)),
        ("price > 1000", lambda number: False),
    ],
)
@pytest.mark.parametrize("axes", [None, 3], ids=["whole", "three axes"])
def test_a_search_finds_what_a_plain_loop_finds(place, condition, allowed, top_k, axes):
    gallery = filled(place, axes=axes)
    queries = vectors(3, seed=1)[SPACE]
    results = gallery.search(queries, SPACE, top_k, filter=condition)
    names = [name for number, name in enumerate(ids(40)) if allowed(number)]
    for query, found, scores in zip(queries, results.ids, results.scores, strict=True):
        assert list(found) == brute_force(gallery, query, SPACE, top_k, names)
        expected = gallery.vectors(found, SPACE) @ normalize(query, dim=0)
        torch.testing.assert_close(scores[: len(found)], expected, atol=1e-6, rtol=0)


@pytest.mark.usefixtures("either_search")
def test_metadata_come_with_the_results(place):
    result = filled(place).search(vectors(40)["neckline"][5:6], "neckline", 1).to_dicts()[0][0]
    assert result["id"] == "p005"
    assert result["score"] == pytest.approx(1, abs=1e-3)
    assert result["metadata"] == {"brand": None, "price": 5.0, "sub-category": "coat"}


@pytest.mark.usefixtures("either_search")
def test_products_are_added_replaced_and_deleted(place):
    gallery = filled(place, 10)
    query = vectors(1, seed=3)["neckline"]
    assert "p003" in gallery.search(query, "neckline", 10).ids[0]
    new = vectors(2)
    new["neckline"][0] = query[0]
    gallery.add(["p003", "p010"], new, metadata(2))
    assert len(gallery) == 11
    assert gallery.search(query, "neckline", 1).to_dicts()[0][0]["id"] == "p003"
    assert gallery.search(query, "neckline", 20, "id = 'p003'").metadata[0][0]["price"] == 0.0
    assert gallery.delete(["p003", "no such product"]) == 1
    assert gallery.delete([]) == 0
    assert sorted(gallery.ids()) == sorted({*ids(11)} - {"p003"})
    assert "p003" not in gallery.search(query, "neckline", 20).ids[0]


@pytest.mark.usefixtures("either_search")
def test_an_empty_gallery_finds_nothing(place):
    gallery = Gallery.create(place, SPACES)
    assert len(gallery) == 0
    assert gallery.search(vectors(2)["neckline"], "neckline", 5).ids == ((), ())
    gallery.add([], {space: rows[:0] for space, rows in vectors(1).items()})
    assert len(gallery) == 0


@pytest.mark.usefixtures("either_search")
@pytest.mark.parametrize("name", ["it's", 'a "b"', "back\\slash", "größe", "a; DROP TABLE", "%"])
def test_any_string_is_an_id(place, name):
    gallery = Gallery.create(place, {"image": 2})
    gallery.add([name, "other"], {"image": torch.eye(2)})
    torch.testing.assert_close(gallery.vectors([name], "image"), torch.tensor([[1.0, 0.0]]))
    assert gallery.delete([name]) == 1
    assert gallery.ids() == ["other"]


def test_an_opened_gallery_is_the_one_that_was_made(place):
    made = filled(place)
    opened = Gallery.open(place)
    assert opened.schema == made.schema
    assert opened.info() == made.info()
    assert opened.info() == {
        "uri": place,
        "version": made.info()["version"],
        "storage": made.info()["storage"],
        "products": 40,
        "spaces": SPACES,
        "stored_dimensions": SPACES,
        "metadata": {"brand": "string", "price": "double", "sub-category": "string"},
        "fingerprint": "Model-1",
        "search": "exact, in memory",
        "index": {},
    }


@pytest.mark.parametrize("path", ["my_gallery", Path("my_gallery")])
def test_the_way_to_open_a_gallery_is_named(path):
    with pytest.raises(TypeError, match=r"`Gallery.open\('my_gallery'\)` opens a gallery"):
        Gallery(path)


def test_a_pickled_gallery_is_opened_again(place):
    gallery = filled(place)
    copy = pickle.loads(pickle.dumps(gallery))
    assert copy.info() == gallery.info() and sorted(copy.ids()) == ids(40)
    gallery.delete(["p000"])
    assert len(copy) == 39


def test_a_spawned_worker_searches_the_gallery_that_it_is_given(tmp_path):
    gallery = filled(tmp_path / "gallery")
    query = vectors(1)[SPACE]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(Gallery.search, (gallery, query, SPACE, 3))
    assert found.ids == gallery.search(query, SPACE, 3).ids


def test_there_is_no_gallery_before_it_is_made(place):
    with pytest.raises(FileNotFoundError, match="no gallery at"):
        Gallery.open(place)
    with pytest.raises(FileNotFoundError, match="no gallery at"):  # looking for one has made none
        Gallery.open(place)


def test_a_gallery_is_not_made_twice(place):
    filled(place)
    with pytest.raises(FileExistsError, match=r"there is a gallery at .+ already"):
        Gallery.create(place, SPACES)
    assert len(Gallery.open(place)) == 40


def test_a_gallery_knows_its_model(place):
    model = tiny_model()
    gallery = Gallery.create(place, {"image": 12}, fingerprint=model_fingerprint(model))
    gallery.check_model(model)
    other = tiny_model(seed=1)
    with pytest.raises(ValueError) as error:
        gallery.check_model(other)
    assert model_fingerprint(model) in str(error.value) and model_fingerprint(other) in str(error.value)


def test_a_gallery_knows_the_processor_of_its_model(place, caplog):
    model, processor = tiny_model(), tiny_processor()
    gallery = Gallery.create(place, {"image": 12}, fingerprint=embedder_fingerprint(model, processor))
    gallery.check_model(model, processor)
    gallery.check_model(model, processor.image_processor, processor.tokenizer)
    processor.image_processor.image_mean = [0.5, 0.5, 0.5]
    with pytest.raises(ValueError, match="was embedded with another image processor"):
        gallery.check_model(model, processor)
    assert not caplog.records


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": "colour"}, r"`space` must be one of \['neckline', 'sleeve length'\], got 'colour'"),
        ({"vectors": torch.ones(2, 5)}, r"shape \(Q, 8\) for 'neckline', got \(2, 5\)"),
        ({"vectors": torch.ones(8)}, r"got \(8,\)"),
        ({"vectors": torch.zeros(1, 8)}, "row 0 has length 0"),
        ({"vectors": torch.full((1, 8), torch.nan)}, "row 0 has length nan"),
        ({"top_k": 0}, "`top_k` must be at least 1, got 0"),
        (
            {"filter": "colour = 'red'"},
            "`filter` cannot be applied to this gallery: .*`brand`.* Got \"colour = 'red'\"",
        ),
        ({"filter": "price ="}, "`filter` cannot be applied"),
        ({"filter": "price > 'cheap'"}, "`filter` cannot be applied"),
        ({"filter": {"price": "cheap"}}, "`filter` cannot be applied"),
        ({"filter": "brand"}, "needs a column of booleans"),
        ({"filter": {"brand": 3}}, r"`brand` \(string\) can be compared with text .*, got 3"),
    ],
)
@pytest.mark.usefixtures("either_search")
def test_what_cannot_be_searched_is_said(place, arguments, message):
    gallery = filled(place, 4)
    with pytest.raises(ValueError, match=message):
        gallery.search(**({"vectors": torch.ones(1, 8), "space": "neckline", "top_k": 3} | arguments))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": ["a", "a"]}, "`ids` must differ, got 'a' twice"),
        ({"vectors": {"neckline": torch.ones(2, 8)}}, r"`vectors` must have the keys \['neckline', 'sleeve length'\]"),
        (
            {"vectors": {"neckline": torch.ones(2, 8), SPACE: torch.ones(2, 8)}},
            r"must have shape \(2, 5\), got \(2, 8\)",
        ),
        ({"vectors": {"neckline": torch.zeros(2, 8), SPACE: torch.ones(2, 5)}}, "row 0 has length 0"),
        ({"metadata": {"brand": ["x", "y"]}}, "`metadata` must have the keys"),
        ({"metadata": metadata(2) | {"price": [1, "2"]}}, r"`metadata\['price'\]` must hold double or None"),
        ({"metadata": metadata(2) | {"price": [1]}}, "price expected length 2 but got length 1"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_added(place, changes, message):
    gallery = Gallery.create(place, SPACES, METADATA)
    with pytest.raises(ValueError, match=message):
        gallery.add(**({"ids": ["a", "b"], "vectors": vectors(2), "metadata": metadata(2)} | changes))
    assert len(gallery) == 0


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (pa.int32(), 1.5, 2.0),
        (pa.int64(), np.float32(-0.5), np.float32(4)),
        (pa.uint8(), Decimal("7.25"), Decimal(7)),
        (pa.list_(pa.int16()), [3, 2.75], [3, 2.0]),
        (pa.timestamp("s"), 0.5, 86400),
    ],
)
def test_a_fraction_is_not_cut_off(tmp_path, kind, value, kept):
    gallery = Gallery.create(tmp_path / "gallery", {"image": 2}, pa.schema([("stock", kind)]))
    message = rf"`metadata\['stock'\]` must hold .*, row 1 is {re.escape(repr(value))}, whose fraction would be lost"
    with pytest.raises(ValueError, match=message):
        gallery.add(["a", "b"], {"image": torch.eye(2)}, {"stock": [None, value]})
    gallery.add(["a", "b"], {"image": torch.eye(2)}, {"stock": [None, kept]})
    assert len(gallery) == 2


@pytest.mark.parametrize("name", ["id", "_distance", "query_index", "vector_0", "a.b", "`", "", "1st"])
def test_metadata_columns_have_names_that_filters_can_use(tmp_path, name):
    with pytest.raises(ValueError, match="no metadata column"):
        Gallery.create(tmp_path / "gallery", SPACES, pa.schema([(name, pa.string())]))


@pytest.mark.parametrize("spaces", [{}, {"image": 0}])
def test_a_gallery_has_a_space(tmp_path, spaces):
    with pytest.raises(ValueError, match="`spaces` must give at least one name its dimension"):
        Gallery.create(tmp_path / "gallery", spaces)


def test_a_lancedb_table_that_is_no_gallery_is_refused(tmp_path):
    LanceStore.create(str(tmp_path / "table"), pa.schema([("id", pa.string())]))
    with pytest.raises(ValueError, match="hf_fashion did not write it"):
        Gallery.open(tmp_path / "table")


@pytest.mark.usefixtures("either_search")
@pytest.mark.parametrize("condition", ["CAST(brand AS INT) = 1", "1 / 0 = 1"])
def test_a_filter_that_fails_on_some_row_is_no_damage(place, condition):
    gallery = filled(place)
    with pytest.raises(ValueError, match="`filter` cannot be applied to this gallery"):
        gallery.search(torch.ones(1, SPACES[SPACE]), SPACE, 5, filter=condition)
    assert len(gallery.search(torch.ones(1, SPACES[SPACE]), SPACE, 5).ids[0]) == 5


@pytest.mark.parametrize("wrong", ["p001", [1], [None]])
def test_ids_are_a_list_of_strings(place, wrong):
    """One string would be taken for the ids that its letters are."""
    gallery = filled(place)
    for call in (
        gallery.delete,
        lambda ids: gallery.vectors(ids, SPACE),
        lambda ids: gallery.add(ids, vectors(1), metadata(1)),
    ):
        with pytest.raises(ValueError, match="`ids` must be a list of strings"):
            call(wrong)
    assert len(gallery) == 40


def test_metadata_are_updated(place):
    gallery = filled(place, 5)
    before = gallery.vectors(ids(5), "neckline")
    gallery.update(["p003", "p001"], {"brand": ["Acme", None], "price": [1.5, None], "sub-category": ["bag", "hat"]})
    rows = {row["id"]: row for row in gallery.products().to_pylist()}
    assert rows["p003"] | {"photo_hash": None} == {
        "id": "p003",
        "brand": "Acme",
        "price": 1.5,
        "sub-category": "bag",
        "photo_hash": None,
    }
    assert (rows["p001"]["brand"], rows["p001"]["price"], rows["p002"]["price"]) == (None, None, 2.0)
    assert torch.equal(gallery.vectors(ids(5), "neckline"), before)
    one = {"brand": ["Acme"], "price": [1.0], "sub-category": ["bag"]}
    with pytest.raises(ValueError, match="'p009' is not in the gallery"):
        gallery.update(["p009"], one)
    with pytest.raises(ValueError, match=r"`metadata` must have the keys"):
        gallery.update(["p001"], {"price": [1.0]})
    assert len(gallery) == 5


def test_the_information_tells_what_the_gallery_takes_on_disk(tmp_path):
    gallery = filled(tmp_path / "gallery", 40)
    storage = gallery.info()["storage"]
    files = [path for path in (tmp_path / "gallery").rglob("*") if path.is_file()]
    assert storage["bytes"] == sum(path.stat().st_size for path in files)
    assert storage["versions"] >= 1 and storage["fragments"] == 1
