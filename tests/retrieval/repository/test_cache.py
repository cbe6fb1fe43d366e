"""A saved gallery is loaded into the cache once, also by several that come at the same time, and never half."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from huggingface_hub import constants

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository import cache
from hf_fashion.retrieval.repository.cache import cache_place
from tests.retrieval.galleries import filled, ids


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def saved(tmp_path):
    filled(tmp_path / "gallery", axes=3).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_it_is_loaded_once_and_equal(home, saved, tmp_path, monkeypatch):
    gallery = Gallery.from_pretrained(saved)
    assert gallery.info()["uri"] == str(cache_place(saved, saved))
    assert str(home / "hf_fashion" / "galleries" / "saved") in gallery.info()["uri"]
    expected = Gallery.open(tmp_path / "gallery")
    assert torch.equal(gallery.vectors(ids(40), "neckline"), expected.vectors(ids(40), "neckline"))
    monkeypatch.setattr(cache, "SavedGallery", None)
    assert len(Gallery.from_pretrained(saved)) == 40


def test_another_content_has_another_place(home, saved, tmp_path):
    filled(tmp_path / "less", 30, axes=3).save_pretrained(tmp_path / "new")
    places = {Gallery.from_pretrained(folder).info()["uri"] for folder in (saved, tmp_path / "new")}
    assert len(places) == 2
    assert cache_place("shop/a", saved).parent.name == "shop--a"


def test_a_folder_in_the_users_home_has_its_own_name(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_place("~/saved", saved) == cache_place(saved, saved)


def test_those_who_come_at_the_same_time_load_it_once(home, saved, monkeypatch):
    loads, together = [], Barrier(3)
    load = cache._load
    monkeypatch.setattr(cache, "_load", lambda *place: loads.append(place) or load(*place))

    def open_it(_) -> int:
        together.wait()
        return len(Gallery.from_pretrained(saved))

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(open_it, range(3))) == [40] * 3
    assert len(loads) == 1


def test_a_load_that_fails_leaves_nothing(home, saved):
    (next((saved / "data").iterdir())).write_bytes(b"damaged")
    with pytest.raises(OSError, match="differs from its hash"):
        Gallery.from_pretrained(saved)
    assert [path for path in (home / "hf_fashion" / "galleries" / "saved").iterdir() if path.is_dir()] == []
