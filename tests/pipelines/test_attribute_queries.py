"""Searching by one attribute of a photo."""

import pytest
import torch
from transformers import pipeline

from tests.pipelines.searches import by_hand, embedded_gallery, ids_of
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_image_processor, tiny_photo_inputs, tiny_photos
from tests.tiny_ipad import tiny_ipad


@pytest.fixture(scope="module")
def asen_plus_plus(tmp_path_factory):
    """ASEN++, which cuts its regions from photos of any size, its processor and its gallery."""
    model, processor = tiny_asen(local=True), tiny_image_processor(do_source=True)
    return model, processor, embedded_gallery(tmp_path_factory.mktemp("gallery") / "asen", model, processor)


@pytest.fixture
def search(asen_plus_plus):
    model, processor, gallery = asen_plus_plus
    return pipeline("fashion-retrieval", model=model, image_processor=processor, gallery=gallery)


@pytest.mark.parametrize("attribute", ATTRIBUTE_NAMES)
def test_products_are_ranked_in_the_space_of_the_attribute(attribute, search, asen_plus_plus):
    model, _, gallery = asen_plus_plus
    with torch.no_grad():
        features = model.get_attribute_features(**tiny_photo_inputs())[1, ATTRIBUTE_NAMES.index(attribute)]
    results = search({"image": tiny_photos()[1], "attribute": attribute}, top_k=6)
    ids, scores = by_hand(gallery, features, attribute)
    torch.testing.assert_close(torch.tensor([result["score"] for result in results]), scores[:6], rtol=0, atol=2e-5)
    assert ids_of(results)[0] == ids[0] == "p01"


def test_a_batch_holds_photos_of_any_size_and_attributes_of_any_name(search):
    queries = [
        {"image": photo, "attribute": name} for photo, name in zip(tiny_photos(5), ATTRIBUTE_NAMES, strict=True)
    ]
    found = search(queries, batch_size=3)
    for results, query in zip(found, queries, strict=True):
        alone = search(query)
        assert ids_of(results) == ids_of(alone)
        assert [result["score"] for result in results] == pytest.approx([r["score"] for r in alone], abs=5e-6)


def test_a_batch_of_several_attributes_is_re_ranked_in_the_space_of_each(asen_plus_plus):
    model, processor, gallery = asen_plus_plus
    search = pipeline(
        "fashion-retrieval", model=model, processor=processor, gallery=gallery, reranker="query_expansion"
    )
    names = [*ATTRIBUTE_NAMES, *ATTRIBUTE_NAMES]
    queries = [{"image": photo, "attribute": name} for photo, name in zip(tiny_photos(5) * 2, names, strict=True)]
    found = search(queries, batch_size=len(queries))
    assert list(map(ids_of, found)) == [ids_of(search(query)) for query in queries]


def test_an_attribute_of_the_call_or_pipeline_holds_for_queries_that_name_none(asen_plus_plus, search):
    model, processor, gallery = asen_plus_plus
    photo = tiny_photos()[0]
    expected = {name: search({"image": photo, "attribute": name}) for name in ATTRIBUTE_NAMES}
    assert search(photo, attribute="pattern") == expected["pattern"]
    by_neckline = pipeline(
        "fashion-retrieval", model=model, processor=processor, gallery=gallery, attribute="neckline"
    )
    assert by_neckline(photo) == expected["neckline"]
    both = by_neckline([photo, {"image": photo, "attribute": "pattern"}], batch_size=2)
    assert list(map(ids_of, both)) == [ids_of(expected[name]) for name in ("neckline", "pattern")]


def test_ipad_is_loaded_and_searched_with(tmp_path):
    model, processor = tiny_ipad(), tiny_image_processor()
    embedded_gallery(tmp_path / "gallery", model, processor)
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    search = pipeline("fashion-retrieval", model=str(tmp_path / "model"), gallery=tmp_path / "gallery")
    assert search({"image": tiny_photos(2)[0], "attribute": "sleeve_length"})[0]["id"] == "p06"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (tiny_photos()[0], "AsenModel compares photos in one attribute: .* one of neckline, sleeve_length, pattern"),
        (
            {"image": tiny_photos()[0], "attribute": "neckine"},
            r"unknown `attribute` 'neckine' \(did you mean 'neckline'\?\): .* neckline, sleeve_length, pattern",
        ),
        ("a red dress", r"AsenModel reads no text, got \['a red dress'\]"),
        ({"image": tiny_photos()[0], "attribute": "pattern", "terms": {"red": 1}}, "reads no text"),
    ],
    ids=["none", "unknown", "text", "photo and text"],
)
def test_queries_that_do_not_fit_are_refused(query, message, search):
    with pytest.raises(ValueError, match=message):
        search(query)


def test_an_unknown_attribute_of_the_pipeline_is_refused_when_it_is_made(asen_plus_plus):
    model, processor, gallery = asen_plus_plus
    with pytest.raises(ValueError, match="unknown `attribute` 'collar'"):
        pipeline("fashion-retrieval", model=model, processor=processor, gallery=gallery, attribute="collar")
