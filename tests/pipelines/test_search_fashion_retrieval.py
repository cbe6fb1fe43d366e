"""A gallery that the pipeline cannot search is refused when the pipeline is made; groups are found in the others."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.pipelines import search_fashion_retrieval
from hf_fashion.pipelines.search_fashion_retrieval import CandidateFinder
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.milvus import reader as milvus_reader
from tests.pipelines.searches import ids_of
from tests.tiny_e2 import tiny_model


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
    with pytest.raises(FileNotFoundError):
        make(gallery=tmp_path / "no")


def test_a_pipeline_without_a_processor_is_refused(make):
    with pytest.raises(ValueError, match="`processor` must be given: none could be loaded for E2Model"):
        make(processor=None)


def fan(uri) -> Gallery:
    """40 products at 0, 2, 4, ... degrees: the first 30 are of one brand, each of the others has its own."""
    gallery = Gallery.create(uri, {SPACE: 2}, pa.schema([("brand", pa.string())]))
    brands = ["one"] * 30 + [f"b{number}" for number in range(30, 40)]
    gallery.add([f"p{number:02d}" for number in range(40)], {SPACE: at(torch.arange(40) * 2)}, {"brand": brands})
    return gallery


def at(degrees: torch.Tensor) -> torch.Tensor:
    return torch.stack([degrees.deg2rad().cos(), degrees.deg2rad().sin()], dim=-1)


# Nearest first: the first query finds p39, p38, ..., the second one p00, p01, ...
QUERIES = at(torch.tensor([80, -2]))


@pytest.mark.parametrize(
    ("number", "expected", "asked"),
    [
        (3, [["p39", "p38", "p37"], ["p00", "p30", "p31"]], [(2, 3), (1, 12), (1, 48)]),
        (10, [[f"p{n}" for n in range(39, 29, -1)], ["p00", *(f"p{n}" for n in range(30, 39))]], [(2, 10), (1, 40)]),
        (
            12,  # there are 11 brands
            [[f"p{n}" for n in range(39, 28, -1)], ["p00", *(f"p{n}" for n in range(30, 40))]],
            [(2, 12), (1, 48), (1, 48)],
        ),
    ],
)
def test_only_queries_with_too_few_groups_are_searched_again_and_alone(tmp_path, monkeypatch, number, expected, asked):
    finder, calls, search = CandidateFinder(fan(tmp_path / "fan")), [], Gallery.search

    def counted(gallery, vectors, space, top_k, filter=None):
        calls.append((len(vectors), top_k))
        return search(gallery, vectors, space, top_k, filter)

    monkeypatch.setattr(Gallery, "search", counted)
    together = finder.candidates(QUERIES, SPACE, number, group_by="brand")
    assert [ids_of(found) for found in together] == expected
    assert calls == asked
    alone = [finder.candidates(query[None], SPACE, number, group_by="brand")[0] for query in QUERIES]
    assert together == alone


def test_groups_are_looked_for_as_far_as_the_gallery_lists_products(milvus_file, monkeypatch, caplog):
    for module, name, value in (
        (gallery_search, "EXACT_SEARCH_LIMIT", 0),
        (milvus_reader, "MAX_ROWS", 32),
        (search_fashion_retrieval, "LONGEST_LIST", 32),
    ):
        monkeypatch.setattr(module, name, value)
    finder = CandidateFinder(fan(milvus_file))
    found = finder.candidates(QUERIES, SPACE, 4, group_by="brand")
    assert [ids_of(products) for products in found] == [["p39", "p38", "p37", "p36"], ["p00", "p30", "p31"]]
    (record,) = caplog.records
    assert "`group_by` 'brand' finds 3 groups in the longest list: `top_k` must be at most 32" in record.getMessage()
    with pytest.raises(ValueError, match="`top_k` must be at most 32"):
        finder.candidates(QUERIES, SPACE, 33, group_by="brand")


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
