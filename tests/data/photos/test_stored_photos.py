"""Photos of a dataset, decoded when they are asked for, by row."""

import numpy as np
import pytest
from datasets import Dataset, Features, Image, List, Value

from hf_fashion.data.photos.stored_photos import StoredPhotos
from hf_fashion.images import open_photo
from tests.data.corpora import jpeg


def cells(*seeds: int) -> list[dict]:
    return [{"bytes": jpeg(seed), "path": None} for seed in seeds]


def assert_photos(found, *seeds: int):
    found = [np.asarray(photo) for photo in found]
    np.testing.assert_array_equal(found, [np.asarray(open_photo(jpeg(seed))) for seed in seeds])


@pytest.mark.parametrize(
    "feature", [Image(), Image(decode=False), {"bytes": Value("binary"), "path": Value("string")}], ids=str
)
def test_photos_come_row_by_row_however_they_are_stored(feature):
    dataset = Dataset.from_dict({"image": cells(0, 1, 2)}, features=Features(image=feature))
    photos = StoredPhotos(dataset, "image")
    assert len(photos) == 3
    assert_photos(photos, 0, 1, 2)
    assert_photos(StoredPhotos(dataset.select([2, 0]), "image"), 2, 0)


def test_paths_and_bytes_are_photos_too(tmp_path):
    (tmp_path / "1.jpg").write_bytes(jpeg(1))
    assert_photos(StoredPhotos(Dataset.from_dict({"photo": [str(tmp_path / "1.jpg")]}), "photo"), 1)
    assert_photos(StoredPhotos(Dataset.from_dict({"photo": [jpeg(2)]}), "photo"), 2)


def test_the_first_of_several_views_and_all_of_them():
    dataset = Dataset.from_dict({"views": [cells(0, 1), cells(2)]}, features=Features(views=List(Image())))
    photos = StoredPhotos(dataset, "views")
    assert_photos(photos, 0, 2)
    assert_photos(photos.views(0), 0, 1)
    assert_photos([photos.view(0, 1)], 1)
    assert photos.encoded(0) == jpeg(0)


def test_chosen_photos_keep_the_names_of_their_rows():
    rows = [*cells(0, 1), {"bytes": b"", "path": "photos/2.jpg"}, None]
    columns = {"image": rows, "sku": list("abcd")}
    dataset = Dataset.from_dict(columns, features=Features(image=Image(), sku=Value("string")))
    photos = StoredPhotos(dataset, "image", "sku")
    assert_photos(photos.select([1, 0]), 1, 0)
    assert_photos(photos.select([1, 0]).select([1]), 0)
    message = r"row 2 \(id 'c', photos/2.jpg\): the photo in column 'image' cannot be read: .*it is empty"
    with pytest.raises(ValueError, match=message):
        photos.select([0, 2])[1]
    with pytest.raises(ValueError, match=r"row 3 \(id 'd'\): the photo in column 'image' cannot be read: no image"):
        photos[3]
    with pytest.raises(ValueError, match=r"row 3 \(id 'd'\): the photo in column 'image' cannot be read: no image"):
        photos.encoded(3)


def test_a_row_without_views_is_named():
    dataset = Dataset.from_dict({"views": [cells(0), []]}, features=Features(views=List(Image())))
    with pytest.raises(ValueError, match="row 1: the photo in column 'views' cannot be read: no image"):
        StoredPhotos(dataset, "views")[1]
