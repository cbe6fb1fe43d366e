"""Labelled photos and their batches: pixels as the image processor makes them, labels, views of anchors."""

import numpy as np
import pytest
import torch
from datasets import Dataset, Image
from PIL import Image as PILImage

from hf_fashion.data.attributes.photos import VIEW_DISTORTIONS, AttributeCollator, AttributePhotos
from hf_fashion.data.augmentation import random_views
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.samplers.pk_batches import LabelledRow
from hf_fashion.training.attribute.build import square_processor


DRAWN = [LabelledRow(4, 1, 2), LabelledRow(0, 1, 2), LabelledRow(2, 1, 0)]
DRAWN += [LabelledRow(1, 0, 1), LabelledRow(4, 0, 1), LabelledRow(3, 0, 0)]


@pytest.fixture(scope="module")
def corpus():
    generator = np.random.default_rng(0)
    photos = [PILImage.fromarray(generator.integers(0, 256, (24, 20, 3), dtype=np.uint8)) for _ in range(5)]
    return Dataset.from_dict({"image": photos}).cast_column("image", Image())


@pytest.fixture(scope="module")
def caches(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    return [PhotoCache.build(corpus, "image", square_processor(size), folder) for size in (8, 16)]


def batch_of(photos, extra_views=0, drawn=DRAWN):
    return AttributeCollator(square_processor(8), extra_views)([photos[row] for row in drawn])


def test_pixels_are_those_of_the_image_processor(corpus, caches):
    batch = batch_of(AttributePhotos(*caches))
    shown = [corpus[item.row]["image"] for item in DRAWN]
    for name, size in (("pixel_values", 8), ("source_pixel_values", 16)):
        expected = square_processor(size)(shown, return_tensors="pt")["pixel_values"]
        assert torch.allclose(batch[name], expected, atol=1e-5)
    assert batch["attribute_ids"].tolist() == [1, 1, 1, 0, 0, 0]
    assert batch["value_ids"].tolist() == [2, 2, 0, 1, 1, 0]
    assert batch["view_items"].tolist() == []


def test_without_sources_there_are_none(caches):
    photos = AttributePhotos(caches[0])
    assert len(photos) == 5 and "source_pixel_values" not in batch_of(photos)


def test_views_of_the_anchors_follow_the_photos(caches):
    plain, batch = batch_of(AttributePhotos(*caches)), batch_of(AttributePhotos(*caches), extra_views=2)
    assert batch["view_items"].tolist() == [0, 3, 0, 3]
    assert batch["attribute_ids"].tolist() == [1, 1, 1, 0, 0, 0, 1, 0, 1, 0]
    assert batch["value_ids"].tolist() == plain["value_ids"].tolist(), "a view has no value of its own"
    for name in ("pixel_values", "source_pixel_values"):
        assert torch.equal(batch[name][:6], plain[name])
        views = batch[name][6:].view(2, 2, *plain[name].shape[1:])
        assert not any(torch.equal(view, plain[name][[0, 3]]) for view in views)
        assert not torch.equal(views[0], views[1])


def test_a_source_is_seen_through_the_perspective_of_its_photo(caches, monkeypatch):
    seen = []

    def spy(photos, distortion, generator):
        seen.append((distortion, generator.get_state()))
        return random_views(photos, distortion, generator)

    monkeypatch.setattr("hf_fashion.data.attributes.photos.random_views", spy)
    batch_of(AttributePhotos(*caches), extra_views=2)
    assert [distortion for distortion, _ in seen] == [*VIEW_DISTORTIONS, *VIEW_DISTORTIONS]
    assert torch.equal(seen[0][1], seen[2][1]) and torch.equal(seen[1][1], seen[3][1])


def test_seed_epoch_and_rows_alone_decide_the_views(caches):
    photos, again = AttributePhotos(caches[0], seed=1), AttributePhotos(caches[0], seed=1)
    first = batch_of(photos, extra_views=1)["pixel_values"]
    torch.rand(3)
    assert torch.equal(batch_of(again, extra_views=1)["pixel_values"], first)
    again.set_epoch(1)
    others = [again, AttributePhotos(caches[0], seed=2)]
    assert not any(torch.equal(batch_of(other, extra_views=1)["pixel_values"], first) for other in others)
    swapped = batch_of(photos, extra_views=1, drawn=DRAWN[3:] + DRAWN[:3])["pixel_values"]
    assert not torch.equal(swapped[6:].flip(0), first[6:]), "a batch draws for itself, not a photo"


def test_one_extra_view_is_the_milder_one(caches, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "hf_fashion.data.attributes.photos.random_views",
        lambda photos, distortion, generator: seen.append(distortion) or photos,
    )
    assert batch_of(AttributePhotos(caches[0]), extra_views=1)["view_items"].tolist() == [0, 3]
    assert seen == [VIEW_DISTORTIONS[0]]
