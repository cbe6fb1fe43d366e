"""A gallery gains the space of a new attribute: in another place, its own vectors untouched to the last bit."""

import pytest
import torch
from datasets import Image

from hf_fashion.models.attribute.modeling_attribute import AttributePreTrainedModel
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.ingestion import add_spaces
from hf_fashion.retrieval.ingestion.add_spaces import split_model
from tests.data.corpora import jpeg, products
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_image_processor
from tests.tiny_e2 import tiny_model


OPTIONS = {"id_column": "id", "batch_size": 4, "progress": False}


def grown() -> AttributePreTrainedModel:
    return tiny_asen(local=True).add_attribute("heel height", ["flat", "high"])


def embedded(uri, model, dataset=None, **options) -> Gallery:
    dataset = products(9) if dataset is None else dataset
    options = OPTIONS | {"metadata_columns": ["brand"]} | options
    return Gallery.from_dataset(dataset, model, tiny_image_processor(), uri=uri, **options)


def extended(gallery: Gallery, uri, model=None, dataset=None) -> Gallery:
    dataset = products(9) if dataset is None else dataset
    return gallery.add_spaces(dataset, model or grown(), tiny_image_processor(), uri=uri, **OPTIONS)


def stored(gallery: Gallery, spaces) -> list[dict]:
    columns = ["id", "brand", "photo_hash", *map(gallery.schema.column, spaces)]
    return gallery._store.read(columns).sort_by("id").to_pylist()


@pytest.mark.parametrize("dimensions", [None, 4])
def test_the_new_gallery_has_the_old_vectors_and_those_of_the_new_attribute(tmp_path, dimensions):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True), dimensions=dimensions)
    before = stored(gallery, ATTRIBUTE_NAMES)
    new = extended(gallery, tmp_path / "new")
    assert list(new.schema.spaces) == [*ATTRIBUTE_NAMES, "heel height"]
    assert stored(new, ATTRIBUTE_NAMES) == before == stored(Gallery.open(tmp_path / "old"), ATTRIBUTE_NAMES)
    assert new.schema.axes == ({} if dimensions is None else dict.fromkeys(new.schema.spaces, dimensions))
    new.check_model(grown(), tiny_image_processor())
    whole, names = embedded(tmp_path / "whole", grown(), dimensions=dimensions), new.ids()
    for space in new.schema.spaces:
        torch.testing.assert_close(new.vectors(names, space), whole.vectors(names, space), atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="their vectors cannot be compared"):
        gallery.check_model(grown(), tiny_image_processor())


def test_a_model_with_more_attributes_is_told_how_its_gallery_gains_them(tmp_path):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    hint = r"model with 'heel height' added, `Gallery.add_spaces` \(hf-fashion add-spaces\) copies the gallery"
    with pytest.raises(ValueError, match=hint):
        gallery.check_model(grown())
    with pytest.raises(ValueError, match=hint):
        embedded(tmp_path / "old", grown())
    with pytest.raises(ValueError, match="cannot be compared") as caught:
        gallery.check_model(tiny_asen(seed=1, local=True))
    assert "add_spaces" not in str(caught.value)


def test_a_stopped_call_leaves_the_old_gallery_and_goes_on(tmp_path, monkeypatch):
    gallery, batches = embedded(tmp_path / "old", tiny_asen(local=True)), []
    real = add_spaces.embedded_batches

    def stopping(encoder, catalogue, rows):
        batches.append(len(rows))
        for number, batch in enumerate(real(encoder, catalogue, rows)):
            if number == 1 and len(batches) == 1:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(add_spaces, "embedded_batches", stopping)
    with pytest.raises(KeyboardInterrupt):
        extended(gallery, tmp_path / "new")
    assert len(Gallery.open(tmp_path / "new")) == 4 and len(gallery) == 9
    new = extended(gallery, tmp_path / "new")
    assert batches == [3, 2]
    other = extended(gallery, tmp_path / "other")
    assert stored(new, new.schema.spaces) == stored(other, other.schema.spaces)
    assert extended(gallery, tmp_path / "new") and batches[-1] == 0


def test_what_changes_between_two_calls_is_copied_again(tmp_path):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    extended(gallery, tmp_path / "new")
    gallery.update(["p001"], {"brand": ["Acme"]})
    new = extended(gallery, tmp_path / "new")
    assert stored(new, ATTRIBUTE_NAMES) == stored(gallery, ATTRIBUTE_NAMES)


def test_products_that_only_the_new_gallery_has_are_never_deleted(tmp_path):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    new = extended(gallery, tmp_path / "new")
    gallery.delete(["p002"])
    with pytest.raises(ValueError, match=r"(?s)holds 1 products that the one .* nothing was copied.*p002"):
        extended(gallery, tmp_path / "new")
    assert "p002" in new.ids()
    new.delete(["p002"])
    assert stored(extended(gallery, tmp_path / "new"), ATTRIBUTE_NAMES) == stored(gallery, ATTRIBUTE_NAMES)


def test_a_change_meanwhile_is_named(tmp_path, monkeypatch):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    real = add_spaces._require_same_photos

    def deleting(*arguments):
        real(*arguments)
        gallery.delete(["p000"])

    monkeypatch.setattr(add_spaces, "_require_same_photos", deleting)
    with pytest.raises(RuntimeError, match="was changed meanwhile"):
        extended(gallery, tmp_path / "new")


def test_other_photos_and_missing_products_are_named(tmp_path):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    with pytest.raises(ValueError, match=r"2 products of the gallery at .* are not in the catalogue(.|\n)*p007"):
        extended(gallery, tmp_path / "new", dataset=products(7))
    assert not (tmp_path / "new").exists()
    images = [{"bytes": jpeg(77 if row == 5 else row), "path": None} for row in range(9)]
    other = products(9).remove_columns("image").add_column("image", images).cast_column("image", Image())
    with pytest.raises(ValueError, match=r"embedded from other photos than the catalogue's(.|\n)*p005"):
        extended(gallery, tmp_path / "new", dataset=other)
    assert len(extended(gallery, tmp_path / "new", dataset=products(12))) == 9


def test_other_models_and_places_are_named(tmp_path):
    gallery = embedded(tmp_path / "old", tiny_asen(local=True))
    other = tiny_asen(local=True, seed=1).add_attribute("heel height")
    for model, message in (
        (tiny_asen(local=True), "has no attribute that it lacks"),
        (tiny_model(), "lacks its space 'neckline' .its attributes: none"),
        (other, "their vectors cannot be compared"),
    ):
        with pytest.raises(ValueError, match=message):
            extended(gallery, tmp_path / "new", model)
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match="there is another gallery at"):
        extended(gallery, tmp_path / "old")


def test_a_model_is_split_into_what_a_gallery_has_and_lacks():
    model = grown()
    earlier, added = split_model(model, ATTRIBUTE_NAMES, "place")
    assert earlier.config.attribute_names == ATTRIBUTE_NAMES and added.config.attribute_names == ["heel height"]
    assert model.config.attribute_names == [*ATTRIBUTE_NAMES, "heel height"]
