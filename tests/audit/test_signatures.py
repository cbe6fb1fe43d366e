"""Each photo is read once; one that cannot be read is named."""

import numpy as np
from datasets import Dataset, DatasetDict, Features, List
from datasets import Image as ImageFeature
from PIL import Image

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.signatures import read_signatures, sign_photo
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.images import decode_photo
from tests.audit.planted import saved_again
from tests.data.corpora import jpeg


def naive_hash(small: np.ndarray) -> list[bool]:
    """The definition: the cosine transform of the grey picture, its lowest 8 by 8 frequencies above their median."""
    grey = small @ np.array([0.299, 0.587, 0.114])
    places = np.arange(32)
    low = [
        (grey * np.outer(*(np.cos(np.pi * k * (2 * places + 1) / 64) for k in (u, v)))).sum()
        for u in range(8)
        for v in range(8)
    ]
    return [value > np.median(low) for value in low]


def test_the_hash_is_that_of_the_definition():
    photo = decode_photo(jpeg(3, (50, 70)))
    small = np.asarray(photo.resize((32, 32), Image.Resampling.BICUBIC, reducing_gap=3.0)).astype(float)
    bits, picture = sign_photo(photo)
    assert bits.tolist() == naive_hash(small)
    assert picture[3, 5].tolist() == small[6:8, 10:12].mean(axis=(0, 1)).round().tolist()


def test_a_copy_has_nearly_the_same_signature():
    photo = jpeg(5, (8, 8))
    large = saved_again(photo, quality=95, share=12)
    one, other = (sign_photo(decode_photo(encoded)) for encoded in (large, saved_again(large)))
    assert (one[0] != other[0]).sum() <= 4 and np.abs(one[1].astype(int) - other[1]).mean() < 4


def test_views_are_signed_and_broken_photos_are_named():
    views = [[jpeg(1), jpeg(2)], [b"no photo"], [jpeg(1)], []]
    cells = [[{"bytes": view, "path": None} for view in row] for row in views]
    dataset = Dataset.from_dict({"image": cells}, features=Features({"image": List(ImageFeature())}))
    found = read_signatures(AuditedCorpus(DatasetDict(data=dataset), ColumnMap()), progress=False)
    assert found.rows == [0, 0, 2] and found.views == [0, 1, 0]
    assert found.files[0] == found.files[2] != found.files[1]
    assert list(found.unreadable) == [1, 3] and "no image" in found.unreadable[3]
    assert found.hashes.shape == (3, 64) and found.pictures.shape == (3, 16, 16, 3)
