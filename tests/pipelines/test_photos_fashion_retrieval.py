"""Results show the products' photos: of a dataset, a catalogue by its name, a dict; missing ones are said."""

import logging

import pytest
from datasets import Dataset, Image
from PIL import ImageChops
from transformers.utils import logging as transformers_logging

from tests.pipelines.searches import COUNT
from tests.tiny_e2 import tiny_images


IDS = [f"p{number:02d}" for number in range(COUNT)]


@pytest.fixture
def products() -> Dataset:
    return Dataset.from_dict({"sku": IDS, "image": tiny_images(COUNT)}).cast_column("image", Image())


@pytest.fixture
def said(caplog):
    """What the package warns of."""
    transformers_logging.enable_propagation()
    caplog.set_level(logging.WARNING)
    yield caplog
    transformers_logging.disable_propagation()


def equal(image, other) -> bool:
    return image.size == other.size and ImageChops.difference(image, other).getbbox() is None


def test_each_result_has_its_photo(make, products, tmp_path):
    (tmp_path / "photos").mkdir()
    for name, photo in zip(IDS, tiny_images(COUNT), strict=True):
        photo.save(tmp_path / "photos" / f"{name}.png")
    feed = tmp_path / "feed.csv"
    feed.write_text("product,photo\n" + "".join(f"{name},photos/{name}.png\n" for name in IDS))
    forms = [
        {"photos": products, "id_column": "sku"},
        {"photos": str(feed), "id_column": "product", "image_column": "photo"},
        {"photos": dict(zip(IDS, tiny_images(COUNT), strict=True))},
        {"photos": {name: tmp_path / "photos" / f"{name}.png" for name in IDS}},
    ]
    for form in forms:
        results = make(**form)("a red dress", top_k=4)
        assert all(equal(one["image"], tiny_images(COUNT)[IDS.index(one["id"])]) for one in results)
    assert "image" not in make()("a red dress")[0]


def test_a_result_without_a_photo_says_none_and_the_start_says_how_many(make, said):
    photos = dict(zip(IDS[1:], tiny_images(COUNT)[1:], strict=True)) | {"p02": b"no photo"}
    results = {one["id"]: one["image"] for one in make(photos=photos)("a red dress", top_k=COUNT)}
    assert [name for name, image in sorted(results.items()) if image is None] == ["p00", "p02"]
    assert "1 of the gallery's 24 products have no photo in `photos`, such as 'p00'" in said.text
    assert "product 'p02' is shown without its photo: the photo in memory cannot be read" in said.text


def test_photos_that_belong_to_no_product_are_refused(make, products):
    with pytest.raises(ValueError, match=r"are such as 'p00'; those of `photos` are such as 'x'\. Name their column"):
        make(photos={"x": tiny_images(1)[0]})
    with pytest.raises(ValueError, match=r"name the column of the ids of `photos` with `id_column`, one of:\s+sku;"):
        make(photos=products)
    with pytest.raises(ValueError, match=r"no column 'skus' \(did you mean 'sku'\?\)"):
        make(photos=products, id_column="skus")
    with pytest.raises(ValueError, match="are for a catalogue; `photos` is a dict"):
        make(photos={"p00": tiny_images(1)[0]}, id_column="sku")
