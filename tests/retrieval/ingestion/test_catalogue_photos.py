"""Photos of a catalogue by id."""

import pytest
from datasets import Dataset, Image

from hf_fashion.retrieval.ingestion.catalogue_photos import CataloguePhotos
from tests.tiny_e2 import tiny_images


def test_a_folder_is_a_mapping_from_path_to_photo(tmp_path):
    for number, photo in enumerate(tiny_images(3)):
        photo.convert("L").save(tmp_path / f"{number}.png")
    photos = CataloguePhotos.read(tmp_path)
    assert list(photos) == ["0.png", "1.png", "2.png"] and len(photos) == 3
    assert "1.png" in photos and "3.png" not in photos and photos.get("3.png") is None
    assert photos["1.png"].mode == "RGB" and photos["1.png"].size == tiny_images(2)[1].size


def test_a_product_without_a_photo_has_none(tmp_path):
    """A catalogue that `embed --on_bad_image skip` takes."""
    tiny_images(1)[0].save(tmp_path / "0.png")
    (tmp_path / "feed.csv").write_text("sku,image\n7,0.png\n8,\n9,gone.png\n")
    photos = CataloguePhotos.read(tmp_path / "feed.csv", "sku")
    assert list(photos) == ["7", "9"] and photos["7"].mode == "RGB"
    with pytest.raises(ValueError, match=r"'9'.*cannot be read"):
        photos["9"]


def test_a_photo_is_decoded_when_it_is_asked_for():
    rows = {"sku": [7, 8], "image": [{"bytes": b"broken", "path": None}, {"bytes": b"", "path": None}]}
    photos = CataloguePhotos.read(Dataset.from_dict(rows).cast_column("image", Image()), "sku")
    assert "7" in photos
    with pytest.raises(ValueError, match=r"'7'.*cannot be read"):
        photos["7"]
