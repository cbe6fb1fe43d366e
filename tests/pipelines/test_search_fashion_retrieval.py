"""A gallery that the pipeline cannot search is refused when the pipeline is made."""

import pytest

from hf_fashion.retrieval.fingerprint import model_fingerprint
from hf_fashion.retrieval.gallery import Gallery
from tests.tiny_e2 import tiny_model


def test_a_gallery_is_opened_by_its_path(make, gallery):
    by_path = make(gallery=gallery.info()["uri"])
    assert by_path("a red dress") == make()("a red dress")


def test_a_gallery_of_another_model_is_refused_and_both_are_named(make):
    other = tiny_model(seed=1)
    message = f"embedded by {model_fingerprint(tiny_model())}, `model` is {model_fingerprint(other)}"
    with pytest.raises(ValueError, match=message):
        make(model=other)


def test_an_empty_gallery_is_refused(make, tmp_path):
    empty = Gallery.create(tmp_path / "empty", {"image": 12}, fingerprint=model_fingerprint(tiny_model()))
    with pytest.raises(ValueError, match=r"empty is empty: embed a catalogue with Gallery\.from_dataset"):
        make(gallery=empty)


def test_a_space_that_the_model_does_not_serve_is_refused(make, tmp_path):
    model = tiny_model()
    strange = Gallery.create(tmp_path / "strange", {"neckline": 12}, fingerprint=model_fingerprint(model))
    strange.add(["a"], {"neckline": model.logit_scale.new_ones(1, 12)})
    with pytest.raises(ValueError, match="a space 'neckline', E2Model serves image"):
        make(gallery=strange)


def test_a_missing_gallery_is_refused(make, tmp_path):
    with pytest.raises(FileNotFoundError):
        make(gallery=tmp_path / "no")


def test_a_pipeline_without_a_processor_is_refused(make):
    with pytest.raises(ValueError, match="`processor` must be given: none could be loaded for E2Model"):
        make(processor=None)
