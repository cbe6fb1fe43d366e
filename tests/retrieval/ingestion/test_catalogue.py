"""A dataset as a catalogue: what is read of a row, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, IterableDataset, List, Value
from PIL import Image as PILImage

from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from tests.data.corpora import jpeg, products


def decoded(catalogue: Catalogue, row: int) -> PILImage.Image:
    return catalogue.decode_photo(row, catalogue.encoded_photo(row))


def test_photos_are_rgb_whatever_the_dataset_holds(tmp_path):
    grey = PILImage.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    grey.save(tmp_path / "grey.png")
    cells = [str(tmp_path / "grey.png")]
    for feature in (Image(), Image(decode=False), Value("string")):
        dataset = Dataset.from_dict({"id": [7], "image": cells}, features=Features(id=Value("int8"), image=feature))
        photo = decoded(Catalogue(dataset, "id", "image", []), 0)
        assert photo.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(photo), np.asarray(grey.convert("RGB")))


def test_photos_are_found_by_their_ids():
    catalogue = Catalogue(products(5), "id", "image", [])
    found = catalogue.photos_of(["p003", "p001", "p003"])
    for photo, row in zip(found, (3, 1, 3), strict=True):
        np.testing.assert_array_equal(np.asarray(photo), np.asarray(products(5)[row]["image"].convert("RGB")))
    with pytest.raises(ValueError, match="the catalogue has no product 'p009'"):
        catalogue.photos_of(["p003", "p009"])


def test_ids_are_strings_and_metadata_have_names_for_classes():
    features = Features(
        number=Value("int64"), photo=Image(), season=ClassLabel(names=["summer", "winter"]), sizes=List(Value("int8"))
    )
    rows = {"number": [4, 2, 9], "photo": [{"bytes": jpeg(0), "path": None}] * 3}
    rows |= {"season": [1, None, -1], "sizes": [[1, 2], [], None]}
    catalogue = Catalogue(Dataset.from_dict(rows, features=features), "number", "photo", ["season", "sizes"])
    assert len(catalogue) == 3 and catalogue.ids == ["4", "2", "9"]
    assert catalogue.metadata_schema == pa.schema([("season", pa.string()), ("sizes", pa.list_(pa.int8()))])
    assert catalogue.metadata([2, 0]) == {"season": [None, "winter"], "sizes": [None, [1, 2]]}


def test_without_metadata_columns_there_are_none():
    assert Catalogue(products(2), "id", "image", []).metadata([0, 1]) == {}


def test_a_photo_that_cannot_be_read_is_named():
    broken = Dataset.from_dict(
        {"id": ["a", "b"], "image": [{"bytes": jpeg(0), "path": None}, {"bytes": b"no photo", "path": None}]},
        features=Features(id=Value("string"), image=Image()),
    )
    catalogue = Catalogue(broken, "id", "image", [])
    with pytest.raises(ValueError, match=r"row 1 \(id 'b'\): the photo in column 'image' cannot be read"):
        decoded(catalogue, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ids", "image", []), r"`id_column`: the dataset has no column 'ids' \(did you mean 'id'\?\)"),
        (("id", "photo", []), "`image_column`: the dataset has no column 'photo'"),
        (("id", "image", ["brand", "price"]), "`metadata_columns`: the dataset has no column 'price'"),
        (("id", "image", ["image"]), "`metadata_columns`: column 'image' is Image"),
    ],
)
def test_a_missing_or_wrong_column_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Catalogue(products(3), *arguments)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (IterableDataset.from_generator(lambda: iter([{"id": "a"}])), "is a streaming dataset, whose rows cannot be"),
        (DatasetDict(train=products(1), test=products(1)), "must be one datasets.Dataset of the splits train, test"),
        ([{"id": "a"}], "must be one datasets.Dataset, got list"),
    ],
)
def test_what_is_no_dataset_gets_a_sentence(dataset, message):
    with pytest.raises(ValueError, match=message):
        Catalogue(dataset, "id", "image", [])


def test_rows_are_named_as_their_source_does():
    places = ["feed.csv, line 2", "feed.csv, line 4", "feed.csv, line 5"]
    dataset = products(3).add_column("source_row", places)
    broken = dataset.cast_column("image", Image(decode=False)).map(
        lambda row: row | {"image": {"bytes": b"no photo", "path": "1.jpg"}} if row["id"] == "p001" else row
    )
    with pytest.raises(ValueError) as error:
        decoded(Catalogue(broken.select([1, 2]), "id", "image", []), 0)
    assert str(error.value).startswith(
        "feed.csv, line 4 (id 'p001', 1.jpg): the photo in column 'image' cannot be read: the file is no photo that"
    )
