"""Where a catalogue and a gallery differ, row by row."""

import pyarrow as pa
import pytest

from hf_fashion.retrieval.ingestion import differences
from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from hf_fashion.retrieval.ingestion.differences import Differences, find_differences
from hf_fashion.retrieval.metadata_column import MisfitError
from hf_fashion.retrieval.schema import GallerySchema
from tests.data.corpora import products


def catalogue(count: int = 5) -> Catalogue:
    return Catalogue(products(count), "id", "image", ["brand"])


def stored(of: Catalogue, **changes: list) -> pa.Table:
    everything = range(len(of))
    columns = {"id": of.ids, **of.metadata(everything), "photo_hash": of.photo_hashes(everything)}
    return pa.table(columns | changes)


def schema(photo_hashes: bool = True) -> GallerySchema:
    return GallerySchema({"image": 2}, pa.schema([("brand", pa.string())]), "", photo_hashes=photo_hashes)


def no_limits(rows: pa.Table) -> None:
    """As a store that keeps every value."""


def test_the_same_products_do_not_differ_in_any_order():
    backwards = stored(catalogue()).take([4, 3, 2, 1, 0])
    assert find_differences(backwards, schema(), catalogue(), no_limits, progress=False) == Differences(
        [], [], [], [], 5
    )


def test_texts_in_many_chunks_are_compared_in_blocks(monkeypatch):
    monkeypatch.setattr(differences, "BLOCK_ROWS", 2)
    tags = [["red"], [], None, ["blue", None], ["red"]]
    there = Catalogue(products(5).add_column("tags", tags), "id", "image", ["brand", "tags"])
    table = stored(there)
    chunks = pa.concat_tables([table.slice(start, 1) for start in (3, 0, 4, 2, 1)])
    metadata = pa.schema([("brand", pa.string()), ("tags", pa.list_(pa.string()))])
    own = GallerySchema({"image": 2}, metadata, "")
    assert find_differences(chunks, own, there, no_limits, progress=False) == Differences([], [], [], [], 5)
    here = Catalogue(
        products(5).add_column("tags", [*tags[:3], ["blue", "x"], ["red"]]), "id", "image", ["brand", "tags"]
    )
    assert find_differences(chunks, own, here, no_limits, progress=False) == Differences([], [], [3], [], 4)


def test_each_difference_is_found():
    brands, hashes = catalogue().metadata(range(4))["brand"], catalogue().photo_hashes(range(4))
    brands[1], hashes[2], hashes[3], brands[3] = "Acme", "0" * 32, None, "Acme"
    there = stored(catalogue(4), id=["p000", "p001", "p002", "p003"], brand=brands, photo_hash=hashes)
    there = pa.concat_tables([there, pa.table({"id": ["gone"], "brand": ["x"], "photo_hash": ["y"]})])
    found = find_differences(there, schema(), catalogue(), no_limits, progress=False)
    assert found == Differences(new=[4], photos=[2, 3], metadata=[1], gone=["gone"], unchanged=1)


def test_a_gallery_without_hashes_is_compared_by_its_metadata():
    there = stored(catalogue(), brand=["Acme"] * 5).drop_columns("photo_hash")
    found = find_differences(there, schema(photo_hashes=False), catalogue(), no_limits, progress=False)
    assert found == Differences([], [], [0, 1, 2, 3, 4], [], 0)


def test_a_hash_is_that_of_the_bytes():
    first, second = catalogue(3).photo_hashes([2, 0])
    assert first != second and catalogue().photo_hashes([0, 2]) == [second, first]
    missing = products(2).cast_column("image", products(2).features["image"])
    files = missing.map(lambda row: {"image": None if row["id"] == "p001" else row["image"]})
    with pytest.raises(ValueError, match=r"is null; drop these rows:\n    row 1 \(id"):
        Catalogue(files, "id", "image", [])


def test_a_value_that_the_store_cannot_keep_is_named_by_its_row():
    def short_brands(rows: pa.Table) -> None:
        assert rows.column_names == ["id", "brand"]
        if "p003" in rows["id"].to_pylist():
            raise MisfitError("the store keeps at most 5 letters", rows["id"].to_pylist().index("p003"), "has 6")

    empty = stored(catalogue()).slice(0, 0)
    for there in (empty, stored(catalogue())):
        with pytest.raises(ValueError, match=r"at most 5 letters, row 3 \(id 'p003'\) has 6"):
            find_differences(there, schema(), catalogue(), short_brands, progress=False)
