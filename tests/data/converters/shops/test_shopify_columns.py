"""What the columns of Shopify's export are called."""

from pathlib import Path

import pytest

from hf_fashion.data.converters.shops.shopify_columns import column_names, other_columns


FILE = Path("export.csv")
HEADER = [
    "Handle",
    "Title",
    "Vendor",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "variant price",
    "Image Src",
    "",
]


def test_what_is_read_is_found_in_any_letter_case():
    names = {"id": "Handle", "title": "Title", "brand": "Vendor", "price": "variant price", "image": "Image Src"}
    assert column_names(FILE, HEADER) == names
    with pytest.raises(ValueError, match=r"export\.csv, line 1: no column 'Title' \(did you mean 'Titel'\?\)"):
        column_names(FILE, ["Handle", "Titel", "Image Src"])


def test_the_others_keep_their_names_with_underscores():
    more = ["Google Shopping / Gender", "Color (product.metafields.shopify.color-pattern)"]
    assert other_columns(FILE, [*HEADER, *more]) == {
        "variant_sku": "Variant SKU",
        "google_shopping_gender": more[0],
        "metafield_shopify_color_pattern": more[1],
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Variant-SKU", "'Variant-SKU' and 'Variant SKU' would be one column, 'variant_sku': rename"),
        ("Brand", "'Brand' and 'Vendor' would be one column, 'brand'"),
        ("source row", "'source row' and 'source_row' would be one column"),
        ("Option color", "'Option color' and 'the option of that name' would be one column"),
    ],
)
def test_two_columns_of_one_name_are_refused(name, message):
    with pytest.raises(ValueError, match=rf"export\.csv, line 1: {message}"):
        other_columns(FILE, [*HEADER, name])
