"""Galleries that the pipeline can search: our own, opened or not, and foreign objects; the others are refused."""

from types import SimpleNamespace

import pyarrow as pa
import pytest
import torch

from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.pipelines.search_fashion_retrieval import CandidateFinder, as_results, read_vectors
from hf_fashion.retrieval.gallery import Gallery
from tests.pipelines.searches import photo_embeds
from tests.tiny_e2 import tiny_images, tiny_model


SPACE = "image"


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
    with pytest.raises(FileNotFoundError, match=r"there is no gallery at .*/no$"):
        make(gallery=tmp_path / "no")
    with pytest.raises(FileNotFoundError, match=r"no folder .*/spring.* was reached on the Hub"):  # offline
        make(gallery="galleries/spring")
    with pytest.raises(ValueError, match=r"`gallery` must be given: a Gallery, .*Gallery\.from_dataset"):
        make(gallery=None)


def test_a_pipeline_without_a_processor_is_refused(make):
    with pytest.raises(ValueError, match="`processor` must be given: none could be loaded for E2Model"):
        make(processor=None)


def test_lists_of_every_kind_are_no_groups(tmp_path):
    kinds = [
        pa.list_(pa.string()),
        pa.large_list(pa.string()),
        pa.list_(pa.string(), 2),
        pa.struct([("a", pa.int8())]),
    ]
    schema = pa.schema([*((f"column {number}", kind) for number, kind in enumerate(kinds)), ("brand", pa.string())])
    gallery = Gallery.create(tmp_path / "gallery", {SPACE: 2}, schema)
    gallery.add(["a"], {SPACE: torch.ones(1, 2)}, {name: [None] for name in schema.names})
    for name in schema.names[:-1]:
        with pytest.raises(ValueError, match=rf"one value a product, one of \['brand'\], got '{name}'"):
            CandidateFinder(gallery).check_options(1, name)


class ForeignGallery:
    """A gallery with none of our classes: it passes the calls of ours on, and results as plain objects."""

    def __init__(self, gallery, keeps_vectors: bool):
        self.gallery, self.keeps_vectors = gallery, keeps_vectors

    def __len__(self):
        return len(self.gallery)

    def __getattr__(self, name):
        return getattr(self.gallery, name)

    def search(self, *arguments, with_vectors):
        found = self.gallery.search(*arguments, with_vectors=with_vectors and self.keeps_vectors)
        return SimpleNamespace(ids=found.ids, scores=found.scores, metadata=found.metadata, vectors=found.vectors)


@pytest.mark.parametrize("keeps_vectors", [True, False])
@pytest.mark.parametrize("options", [{}, {"reranker": "k_reciprocal"}, {"group_by": "style", "top_k": 3}])
def test_a_foreign_gallery_is_searched_too(keeps_vectors, options, make, gallery):
    photo = tiny_images(1, seed=9)[0]
    foreign = ForeignGallery(gallery, keeps_vectors)
    assert make(gallery=foreign, **options)(photo) == make(**options)(photo)


def test_vectors_are_read_where_results_have_none(gallery):
    queries = photo_embeds(tiny_images(2, seed=9))
    expected = gallery.search(queries, SPACE, 5, with_vectors=True)
    found = as_results(gallery.search(queries, SPACE, 5)).keep(torch.tensor([[True] * 5, [True, False] * 2 + [False]]))
    read = read_vectors(found, gallery, SPACE)
    assert read.ids == found.ids
    torch.testing.assert_close(read.vectors[0], expected.vectors[0])
    torch.testing.assert_close(read.vectors[1, :2], expected.vectors[1, [0, 2]])
    assert (read.vectors[1, 2:] == 0).all()
    assert read_vectors(read, gallery, "no such space") is read
