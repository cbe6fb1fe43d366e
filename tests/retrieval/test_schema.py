"""Columns of a gallery's table, and rows that fit them."""

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval.schema import GallerySchema, require_ids
from hf_fashion.retrieval.stored_axes import read_spaces
from tests.retrieval.galleries import METADATA, SPACES, ids, metadata, vectors


SCHEMA = GallerySchema(SPACES, METADATA, "Model-1")


def rows(**changes) -> pa.Table:
    given = {"ids": ids(3), "vectors": vectors(3), "metadata": metadata(3)} | changes
    return SCHEMA.rows(**given, spaces=read_spaces(SCHEMA, {}, "gallery"))


def test_a_table_brings_its_schema_back():
    for schema in (
        SCHEMA,
        GallerySchema({"image": 8}, pa.schema([]), ""),
        GallerySchema(SPACES, METADATA, "", SPACES),
    ):
        assert GallerySchema.from_table(schema.to_table()) == schema


def test_a_space_is_a_column_of_half_floats():
    schema = GallerySchema(SPACES, METADATA, "Model-1", {"neckline": 3})
    assert schema.stored_dimensions() == {"neckline": 3, "sleeve length": 5}
    assert [schema.column(space) for space in SPACES] == ["vector_0", "vector_1"]
    assert schema.to_table().field("vector_0").type == pa.list_(pa.float16(), 3)
    assert schema.to_table().names == ["id", *METADATA.names, "photo_hash", "vector_0", "vector_1"]
    with pytest.raises(ValueError, match=r"`space` must be one of \['neckline', 'sleeve length'\], got 'colour'"):
        schema.column("colour")


def test_filters_may_name_ids_and_metadata():
    kinds = {"id": pa.string(), "brand": pa.string(), "price": pa.float64(), "sub-category": pa.string()}
    assert SCHEMA.filter_columns() == kinds


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.schema([("id", pa.string())]), "got format None: hf_fashion did not write it"),
        (
            pa.schema([("id", pa.string())], metadata={"hf_fashion.gallery": '{"format": 2}'}),
            "must be a gallery of format 1, got format 2; upgrade hf_fashion to read it",
        ),
    ],
)
def test_a_table_that_is_not_a_gallery_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        GallerySchema.from_table(table)


@pytest.mark.parametrize(
    ("spaces", "axes", "message"),
    [
        ({}, {}, "`spaces` must give at least one name its dimension"),
        ({"image": 0}, {}, "1 or more, got {'image': 0}"),
        ({"image": 8}, {"image": 9}, "dimensions that are kept of 'image' must be from 1 to its own, got 9 of 8"),
        ({"image": 8}, {"image": 0}, "got 0 of 8"),
        ({"image": 8}, {"colour": 1}, "got 1 of no such space"),
    ],
)
def test_spaces_and_axes_have_dimensions(spaces, axes, message):
    with pytest.raises(ValueError, match=message):
        GallerySchema(spaces, METADATA, "", axes)


@pytest.mark.parametrize("name", ["id", "_x", "query_index", "vector_12", "a.b", "`", "", "1st", "a\nb"])
def test_metadata_columns_have_names_that_filters_can_use(name):
    with pytest.raises(ValueError, match=r"no metadata column .* Rename it") as error:
        GallerySchema({"image": 2}, pa.schema([(name, pa.string())]), "")
    assert repr(name) in str(error.value)


def test_a_metadata_column_comes_once():
    with pytest.raises(ValueError, match=r"a metadata column once only, got \['brand'\] more than once"):
        GallerySchema({"image": 2}, pa.schema([("brand", pa.string())] * 2), "")


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (GallerySchema({"neckline": 8}, METADATA, "Model-1"), "spaces"),
        (GallerySchema(SPACES, METADATA, "Model-1", {"neckline": 2}), "stored dimensions"),
        (GallerySchema(SPACES, pa.schema([("brand", pa.string())]), "Model-1"), "metadata columns"),
        (GallerySchema(SPACES, METADATA.set(1, pa.field("price", pa.int64())), "Model-1"), "metadata columns"),
    ],
)
def test_products_with_other_columns_are_refused(other, what):
    SCHEMA.require_same_columns(GallerySchema(SPACES, METADATA, "Model-2"), "shop")
    with pytest.raises(ValueError, match=f"the gallery at shop has the {what} .* they must be the same"):
        SCHEMA.require_same_columns(other, "shop")


def test_rows_hold_normalised_vectors_and_metadata():
    table = rows()
    assert table.schema == SCHEMA.to_table()
    assert table["id"].to_pylist() == ids(3)
    assert {name: table[name].to_pylist() for name in METADATA.names} == metadata(3)
    for space, column in (("neckline", "vector_0"), ("sleeve length", "vector_1")):
        stored = torch.tensor(table[column].to_pylist())
        torch.testing.assert_close(stored, normalize(vectors(3)[space], dim=-1), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": ["a", "b", "a"]}, "`ids` must differ, got 'a' twice"),
        ({"ids": "abc"}, r"`ids` must be a list of strings, got 'abc' \(str\)"),
        ({"vectors": {"neckline": torch.ones(3, 8)}}, r"`vectors` must have the keys \['neckline', 'sleeve length'\]"),
        ({"metadata": {"brand": ["x"] * 3}}, r"`metadata` must have the keys \['brand', 'price', 'sub-category'\]"),
        ({"metadata": metadata(3) | {"price": [1, 2, "x"]}}, r"`metadata\['price'\]` must hold double or None"),
    ],
)
def test_rows_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        rows(**changes)


def test_a_fraction_is_not_cut_off():
    schema = GallerySchema({"image": 2}, pa.schema([("stock", pa.int64())]), "")
    with pytest.raises(ValueError, match=r"row 1 is 1\.5, whose fraction would be lost"):
        schema.rows(["a", "b"], {"image": torch.eye(2)}, {"stock": [1.0, 1.5]}, read_spaces(schema, {}, "gallery"))


@pytest.mark.parametrize("wrong", ["p001", [1], [None]])
def test_ids_are_strings_in_a_list(wrong):
    require_ids(["p001"])
    require_ids([])
    with pytest.raises(ValueError, match="`ids` must be a list of strings"):
        require_ids(wrong)


def test_galleries_of_earlier_versions_have_no_hashes():
    earlier = GallerySchema(SPACES, METADATA, "Model-1", photo_hashes=False)
    assert "photo_hash" not in earlier.to_table().names
    assert GallerySchema.from_table(earlier.to_table()) == earlier
    assert GallerySchema.from_table(SCHEMA.to_table()) == SCHEMA


def test_half_a_character_is_no_id():
    require_ids(["外套", "👗"])
    with pytest.raises(ValueError, match=r"`ids` must be Unicode text, got 'p\\ud83d', which has half a character"):
        require_ids(["p1", "p\ud83d"])
