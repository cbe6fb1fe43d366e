"""A gallery with the regions of photos, in each database: made, continued, compressed, followed, saved."""

import pytest
import torch
from torch.nn.functional import normalize
from transformers import set_seed

from hf_fashion.retrieval.gallery import Gallery
from tests import tiny_attribute
from tests.data.corpora import jpeg, products
from tests.tiny_e2 import tiny_model, tiny_processor


SPACES = {"image": 12, "brand": 12, "season": 12}


def embedded(uri, count: int, **options) -> Gallery:
    arguments = {"id_column": "id", "batch_size": 4, "progress": False, "regions": True}
    return Gallery.from_dataset(products(count), tiny_model(), tiny_processor(), uri=uri, **(arguments | options))


def contents(gallery: Gallery) -> dict[str, list]:
    """Vectors of all products, by space."""
    ids = sorted(gallery.ids())
    return {"ids": ids} | {space: gallery.vectors(ids, space).tolist() for space in gallery.schema.spaces}


def test_each_entity_has_a_space_with_its_regions(place):
    gallery = embedded(place, 6)
    assert gallery.info()["spaces"] == SPACES
    inputs = tiny_processor()(images=products(6)["image"][:], return_tensors="pt")
    with torch.no_grad():
        outputs = tiny_model()(**inputs)
    expected = {"image": outputs.image_embeds} | dict(
        zip(("brand", "season"), outputs.region_embeds.unbind(1), strict=True)
    )
    for space, embeds in expected.items():
        vectors = gallery.vectors(products(6)["id"][:], space)
        torch.testing.assert_close(vectors, normalize(embeds, dim=-1), atol=1e-3, rtol=0)


def test_a_run_goes_on_and_a_catalogue_is_followed(place, tmp_path):
    gallery = embedded(place, 5)
    assert contents(embedded(place, 9)) == contents(embedded(tmp_path / "at_once", 9))
    photos = [{"bytes": jpeg(77 if row == 2 else row), "path": None} for row in range(9)]
    catalogue = products(9).remove_columns("image").add_column("image", photos)
    options = {"id_column": "id", "batch_size": 4, "progress": False}
    report = gallery.sync(catalogue, tiny_model(), tiny_processor(), **options)
    assert report.embedded_again == ("p002",)
    gallery.compact()
    again = Gallery.from_dataset(
        catalogue, tiny_model(), tiny_processor(), uri=tmp_path / "again", regions=True, **options
    )
    assert contents(gallery) == contents(again)


def test_regions_are_compressed_saved_and_loaded_as_photos_are(place, tmp_path):
    gallery = embedded(place, 20, dimensions=4)
    assert gallery.info()["stored_dimensions"] == dict.fromkeys(SPACES, 4)
    gallery.save_pretrained(tmp_path / "saved")
    loaded = Gallery.from_pretrained(tmp_path / "saved", uri=tmp_path / "loaded")
    assert contents(loaded) == contents(gallery) and loaded.info()["spaces"] == SPACES
    card = (tmp_path / "saved" / "README.md").read_text()
    assert "`season` (of 12 dimensions 4" in card and "column `season_embeds`" in card


def test_a_run_with_other_regions_than_the_gallery_is_refused(tmp_path):
    embedded(tmp_path / "with", 4)
    with pytest.raises(ValueError, match=r"has the spaces .* Choose the same .* and `regions` \(--regions\)"):
        embedded(tmp_path / "with", 6, regions=False)
    embedded(tmp_path / "without", 4, regions=False)
    with pytest.raises(ValueError, match=r"has the spaces \{'image': 12\}, the products to add have \{'image': 12, "):
        embedded(tmp_path / "without", 6)


def test_models_without_regions_are_refused_before_anything_is_made(tmp_path):
    with pytest.raises(ValueError, match="AsenModel has no tag entities, so it embeds no `regions`: only E2 does"):
        Gallery.from_dataset(
            products(4),
            tiny_attribute.tiny_asen(),
            tiny_attribute.tiny_image_processor(),
            uri=tmp_path / "gallery",
            id_column="id",
            regions=True,
        )
    set_seed(0)
    model = tiny_model(tag_entities=["image", "season"])
    with pytest.raises(ValueError, match="a tag entity 'image', which is the name of the space of whole photos"):
        Gallery.from_dataset(
            products(4), model, tiny_processor(), uri=tmp_path / "gallery", id_column="id", regions=True
        )
    assert not (tmp_path / "gallery").exists()
