"""Tags of a gallery: which column has which, and their known values."""

import pyarrow as pa
import pytest

from hf_fashion.pipelines.tags_fashion_retrieval import tag_columns, tag_values, warn_of_unnamed
from tests.pipelines.searches import embedded_gallery
from tests.tiny_e2 import tiny_config, tiny_model, tiny_processor


def model_with(*entities: str):
    class Model:
        config = tiny_config(tag_entities=list(entities))

    return Model()


@pytest.mark.parametrize(
    ("entity", "column"),
    [
        ("colour", "colour"),
        ("colour", "Colour"),
        ("colour", "color"),
        ("colour", "baseColour"),
        ("colour", "base_color"),
        ("article_type", "articleType"),
        ("sub_category", "sub-category"),
        ("type", "product type"),
    ],
)
def test_the_column_of_an_entity_may_be_written_otherwise(entity, column):
    assert tag_columns(["price", column], model_with(entity)) == {entity: column, "price": "price"}


@pytest.mark.parametrize("columns", [["heel_type"], ["Type", "type_"], ["base"]])
def test_another_column_is_no_entity_s(columns):
    assert tag_columns(columns, model_with("type")) == {column: column for column in columns}


def test_the_column_of_the_same_name_goes_first():
    assert tag_columns(["Colour", "colour"], model_with("colour")) == {"colour": "colour", "Colour": "Colour"}


def test_known_values_are_those_that_products_share(tmp_path):
    gallery = embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    styles = [f"s{number}" for number in range(6)]
    columns = {"style": "style", "price": "price"}
    assert tag_values(gallery, columns, tiny_model()) == {"style": styles}
    assert tag_values(gallery, {"brand": "style"}, tiny_model()) == {"brand": styles}
    assert tag_values(object(), columns, tiny_model()) == {}


class Rows:
    """A gallery of one column, `product`."""

    def __init__(self, values: list[str]):
        self.values = values

    def products(self) -> pa.Table:
        return pa.table({"product": self.values})


@pytest.mark.parametrize(
    ("values", "rows_each", "are_tags"),
    [
        ([f"AB-{number}" for number in range(1000, 1020)], 5, False),
        ([f"8712345678{number}" for number in range(100, 120)], 2, False),
        (["38 wide", "39 wide", "40"], 2, True),
        ([f"style {number}" for number in range(1000)], 2, True),
        ([f"style {number}" for number in range(1001)], 9, False),
        ([f"style {number}" for number in range(1001)], 10, True),
    ],
)
def test_ids_of_products_with_several_photos_are_no_tags(values, rows_each, are_tags):
    found = tag_values(Rows(values * rows_each), {"product": "product"}, tiny_model())
    assert found == ({"product": sorted(values)} if are_tags else {})
    assert tag_values(Rows(values * rows_each), {"brand": "product"}, tiny_model()) == {"brand": sorted(values)}


def test_regions_without_values_are_said(caplog):
    warn_of_unnamed({"colour": ["red"]}, ["colour"], ["colour"])
    assert not caplog.records
    warn_of_unnamed({"colour": ["red"]}, ["colour", "type"], ["colour", "category3"])
    assert "regions of type: no metadata column" in caplog.text and "are colour, category3" in caplog.text
