"""The cache of frozen layers: what it returns, when it is built again, how it goes on, what it refuses."""

import pickle
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset, Image, List

from hf_fashion.data.normalisation import PixelNormaliser
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.training.frozen_layers import state_cache
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.state_cache import StateCache, stack_states
from tests.tiny_e2 import IMAGE_SIZE, tiny_image_processor, tiny_images
from tests.tiny_e2_families import tiny_clip


VIEWS = (2, 1, 3)  # photos of each product: six in all


@pytest.fixture
def photos(tmp_path):
    images = iter(tiny_images(sum(VIEWS)))
    rows = [[next(images) for _ in range(number)] for number in VIEWS]
    dataset = Dataset.from_dict({"image": rows}).cast_column("image", List(Image()))
    return PhotoCache.build(dataset, "image", tiny_image_processor(), tmp_path)


@pytest.fixture
def frozen():
    return FrozenLayers(tiny_clip(), 2, (IMAGE_SIZE, IMAGE_SIZE))


@pytest.fixture(autouse=True)
def two_photos_a_file(monkeypatch):
    monkeypatch.setattr(state_cache, "PHOTOS_A_FILE", 2)


def build(photos, frozen, **kwargs) -> StateCache:
    return StateCache.build(photos, frozen, PixelNormaliser(tiny_image_processor()), **kwargs)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float16, 2e-3)])
def test_each_view_of_each_row_has_its_outputs(photos, frozen, dtype, tolerance):
    cache = build(photos, frozen, dtype=dtype)
    assert len(cache) == 3 and [cache.num_views(row) for row in range(3)] == list(VIEWS)
    normalise = PixelNormaliser(tiny_image_processor())
    for row, number in enumerate(VIEWS):
        for view in range(number):
            expected = frozen.run(normalise([torch.from_numpy(photos.photo(row, view).copy())]))
            found = cache.photo(row, view)
            assert found.dtype == dtype
            batch = stack_states([torch.from_numpy(found.copy())])
            assert batch.dtype == torch.float32
            torch.testing.assert_close(batch, expected, rtol=tolerance, atol=tolerance)


def test_it_is_built_once_for_the_same_photos_and_weights(photos, frozen):
    said = []
    first = build(photos, frozen, say=said.append)
    size = sum(np.load(path).nbytes for path in first.folder.iterdir())
    (sentence,) = said
    assert "first 2 layers are run once for 6 photos" in sentence
    assert f"{size / 1e9:.2f} GB in {first.folder}" in sentence
    again = build(photos, FrozenLayers(tiny_clip(), 2, (IMAGE_SIZE, IMAGE_SIZE)), say=said.append)
    assert again.folder == first.folder and len(said) == 1, "nothing was computed again"
    assert build(photos, frozen, dtype=np.float32).folder != first.folder
    assert build(photos, FrozenLayers(tiny_clip(), 1, (IMAGE_SIZE, IMAGE_SIZE))).folder != first.folder
    with torch.no_grad():
        frozen.tower.embeddings.class_embedding.add_(0.1)
    assert build(photos, frozen).folder != first.folder
    processor = tiny_image_processor()
    processor.image_mean = [0.1, 0.2, 0.3]
    other = StateCache.build(photos, frozen, PixelNormaliser(processor))
    assert other.folder != build(photos, frozen).folder


def test_a_killed_build_goes_on_after_its_last_whole_file(photos, frozen, monkeypatch):
    ran, run = [], frozen.run

    def counted(pixel_values):
        ran.append(len(pixel_values))
        if len(ran) == 4:
            raise KeyboardInterrupt
        return run(pixel_values)

    monkeypatch.setattr(frozen, "run", counted)
    with pytest.raises(KeyboardInterrupt):
        build(photos, frozen)
    said = []
    cache = build(photos, frozen, say=said.append)
    assert ran == [1, 2, 2, 2, 1, 2], "one photo to learn the size, then two a file"
    assert "for 2 photos" in said[0]
    assert not [path for path in cache.folder.iterdir() if path.name.startswith(".")]
    assert len(cache.files) == 3


def test_a_full_disk_is_refused_before_anything_is_written(photos, frozen, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(OSError, match=r"cache of frozen layers needs 0\.0 GB .* choose a cache folder"):
        build(photos, frozen)
    folders = [path for path in photos.folder.parent.iterdir() if path != photos.folder]
    assert not [file for folder in folders for file in folder.iterdir()]


def test_outputs_that_do_not_fit_are_refused(photos, frozen):
    with torch.no_grad():
        frozen.tower.embeddings.class_embedding.fill_(1.0)
        frozen.layers[-1].mlp.fc2.bias.fill_(1e6)
    with pytest.raises(ValueError, match=r"\(1e\+06\) does not fit float16: freeze fewer layers"):
        build(photos, frozen)
    assert len(build(photos, frozen, dtype=np.float32)) == 3


def test_another_process_maps_the_files_itself(photos, frozen):
    cache = build(photos, frozen)
    sent = pickle.dumps(cache)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).photo(2, 1), cache.photo(2, 1))
