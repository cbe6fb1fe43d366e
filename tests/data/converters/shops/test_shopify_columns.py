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


def test_a_column_whose_plain_name_is_taken_keeps_its_own():
    more = ["Variant-SKU", "Brand", "Option color", "#", "Material (variant.metafields.custom.material)"]
    more += ["Material (product.metafields.custom.material)"]
    assert list(other_columns(FILE, [*HEADER, *more])) == [
        "variant_sku",
        *more[:4],
        "variant_metafield_custom_material",
        "metafield_custom_material",
    ]
    with pytest.raises(ValueError, match=r"export\.csv, line 1: the column 'source_row' has the name of one"):
        other_columns(FILE, [*HEADER, "source_row"])
