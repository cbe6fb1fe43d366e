"""The columns of a saved gallery: names for people, types for `datasets`."""

import numpy as np
import pyarrow as pa
import pytest
from datasets import List, Value, load_dataset

from hf_fashion.retrieval.repository.columns import metadata_features, vector_columns
from hf_fashion.retrieval.schema import GallerySchema
from tests.retrieval.galleries import ids
from tests.retrieval.repository.saved_galleries import COUNT, DAY, METADATA, rows


def test_datasets_reads_the_columns(gallery, saved):
    products = load_dataset(str(saved), split="train")
    assert products["id"][:] == ids(COUNT)
    assert products.features["image_embeds"] == List(Value("float16"), length=8)
    assert products.column_names == ["id", *METADATA.names, "photo_hash", "image_embeds", "sleeve_length_embeds"]
    stored = rows(gallery)["vector_1"].combine_chunks().flatten().to_numpy()
    read = products.with_format("arrow")[:]["sleeve_length_embeds"].combine_chunks().flatten().to_numpy()
    np.testing.assert_array_equal(read.view(np.uint16), stored.view(np.uint16))
    assert products[1]["sizes"] == ["S", None, "XL"] and products[1]["day"] == DAY
    assert products[0]["sizes"] is None and products[0]["day"] is None


@pytest.mark.parametrize(
    ("spaces", "metadata", "columns"),
    [
        (["image"], [], ["image_embeds"]),
        (["image"], ["Image_Embeds"], ["image_embeds_2"]),
        (
            ["sleeve length", "sleeve_length", "Sleeve Length"],
            [],
            ["sleeve_length_embeds", "sleeve_length_embeds_2", "Sleeve_Length_embeds_3"],
        ),
        (["ärmel/länge (cm)", "!"], [], ["ärmel_länge_cm_embeds", "space_embeds"]),
    ],
)
def test_columns_of_vectors_have_readable_names(spaces, metadata, columns):
    schema = GallerySchema(dict.fromkeys(spaces, 2), pa.schema([(name, pa.string()) for name in metadata]), "")
    assert vector_columns(schema) == dict(zip(spaces, columns, strict=True))


def test_types_that_datasets_knows_are_kept():
    assert metadata_features(METADATA).arrow_schema.remove_metadata() == METADATA


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int32(), pa.string()), pa.month_day_nano_interval()])
def test_a_type_that_datasets_cannot_keep_is_named(kind):
    with pytest.raises(ValueError, match="metadata column 'brand' is of type"):
        metadata_features(pa.schema([("price", pa.float32()), ("brand", kind)]))
