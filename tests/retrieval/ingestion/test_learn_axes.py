"""A gallery that keeps its vectors along the axes of its photos."""

import shutil

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.retrieval import gallery as gallery_module
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.projection import principal_axes
from tests.retrieval.ingestion.embed_with_axes import embedded
from tests.tiny_e2 import tiny_model
from tests.warm_processes import run_warm


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def test_a_gallery_keeps_the_shares_along_the_axes_of_its_photos(tmp_path, model):
    whole, few = (embedded(tmp_path / str(kept), model, 20, kept) for kept in (None, 4))
    ids = sorted(whole.ids())
    vectors = whole.vectors(ids, "image")
    axes = principal_axes(vectors, 4)
    assert few.info()["stored_dimensions"] == {"image": 4} and whole.info()["stored_dimensions"] == {"image": 12}
    left = normalize(vectors @ axes @ axes.T, dim=-1)
    torch.testing.assert_close(few.vectors(ids, "image"), left, atol=2e-3, rtol=0)
    found = few.search(vectors[7:8], "image", 20)
    expected = dict(zip(ids, (left @ vectors[7]).tolist(), strict=True))
    assert found.scores[0].tolist() == pytest.approx([expected[name] for name in found.ids[0]], abs=2e-3)


def test_whole_vectors_and_axes_are_told_apart_when_a_run_goes_on(tmp_path, model):
    names = sorted(embedded(tmp_path / "grown", model, 8).ids())
    before = Gallery.open(tmp_path / "grown").vectors(names, "image")
    grown = embedded(tmp_path / "grown", model, 20)
    assert len(grown) == 20 and torch.equal(grown.vectors(names, "image"), before)
    for dimensions in (None, 5):
        with pytest.raises(ValueError, match=r"has the stored dimensions \{'image': 4\}, the products to add have"):
            embedded(tmp_path / "grown", model, 20, dimensions)


def test_of_two_runs_at_once_the_second_goes_on_along_the_axes_of_the_first(tmp_path, model, monkeypatch):
    learn, names = gallery_module.learn_axes, []

    def overtaken(encoder, catalogue, *options):
        axes = learn(encoder, catalogue, *options)
        if not names:
            names.append("second")
            embedded(tmp_path / "gallery", model, 8)
        return axes

    monkeypatch.setattr(gallery_module, "learn_axes", overtaken)
    second = embedded(tmp_path / "gallery", model, 20)
    first = embedded(tmp_path / "first", model, 8)
    assert second._store.attachments() == first._store.attachments() and len(second) == 20
    ids = sorted(first.ids())
    assert torch.equal(second.vectors(ids, "image"), first.vectors(ids, "image"))


@pytest.mark.parametrize(
    ("count", "dimensions", "message"),
    [
        (20, 13, "dimensions that are kept of 'image' must be from 1 to its own, got 13 of 12"),
        (20, 0, "dimensions that are kept of 'image' must be from 1 to its own, got 0 of 12"),
        (3, 4, "`dimensions` must be at most the number of photos that the axes are learnt from, 3, got 4"),
    ],
)
def test_impossible_numbers_of_dimensions_are_refused(tmp_path, model, count, dimensions, message):
    with pytest.raises(ValueError, match=message):
        embedded(tmp_path / "gallery", model, count, dimensions)
    assert not (tmp_path / "gallery").exists()


def test_a_gallery_without_its_axes_is_damaged(tmp_path, model):
    embedded(tmp_path / "gallery", model, 8)
    shutil.rmtree(next((tmp_path / "gallery").glob("attachments_*.lance")))
    with pytest.raises(OSError, match=r"is damaged: the table 'attachments_\w+' is missing"):
        Gallery.open(tmp_path / "gallery")


KILLED = """
import os, sys
import {module} as module
from tests.retrieval.ingestion.embed_with_axes import embedded
from tests.tiny_e2 import tiny_model
there, calls = module.{function}, []
def killed(*arguments, **keywords):
    calls.append(None)
    if len(calls) == {call}:
        os._exit(9)
    return there(*arguments, **keywords)
module.{function} = killed
embedded(sys.argv[1], tiny_model(), 20)
"""


@pytest.mark.parametrize(
    ("module", "function", "call"),
    [
        ("hf_fashion.retrieval.ingestion.learn_axes", "principal_axes", 1),
        ("hf_fashion.retrieval.gallery", "embed_catalogue", 1),
    ],
    ids=["while axes are learnt", "before the first batch"],
)
def test_killed_and_started_again_it_has_the_same_axes(tmp_path, model, module, function, call):
    script = KILLED.format(module=module, function=function, call=call)
    stopped = run_warm(["-c", script, str(tmp_path / "killed")])
    assert stopped.returncode == 9, stopped.stderr
    galleries = [embedded(tmp_path / name, model, 20) for name in ("killed", "undisturbed")]
    ids = sorted(galleries[0].ids())
    assert torch.equal(*(gallery.vectors(ids, "image") for gallery in galleries))
