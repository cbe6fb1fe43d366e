"""A gallery and what it is saved as, in shards and batches of a few rows."""

from pathlib import Path

import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository import load, save
from tests.retrieval.galleries import ids
from tests.retrieval.repository.saved_galleries import ATTACHMENTS, COUNT, made


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(save, "SHARD_ROWS", 10)
    monkeypatch.setattr(save, "BLOCK_ROWS", 4)
    monkeypatch.setattr(load, "BATCH_ROWS", 4)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory) -> Gallery:
    return made(tmp_path_factory.mktemp("gallery") / "gallery", ids(COUNT), ATTACHMENTS)


@pytest.fixture
def saved(gallery, tmp_path) -> Path:
    gallery.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"
