"""Searching by the region of a tag entity: by text and by photo, with weights, filters and re-rankers."""

import pytest
import torch
from torch.nn.functional import normalize
from transformers import CLIPConfig, CLIPModel

from tests.pipelines.searches import by_hand, embedded_gallery, ids_of, text_embeds
from tests.tiny_e2 import tiny_config, tiny_images, tiny_model, tiny_processor


PHOTO = tiny_images(1, seed=5)[0]


@pytest.fixture
def search(make, region_gallery):
    return make(gallery=region_gallery)


def region_embeds(place: int) -> torch.Tensor:
    """By the tiny E2, of `PHOTO`: (d,), of length 1."""
    with torch.no_grad():
        regions = tiny_model().get_region_features(**tiny_processor()(images=[PHOTO], return_tensors="pt"))
    return normalize(regions[0, place], dim=-1)


def expect(results, gallery, query: torch.Tensor, space: str) -> None:
    ids, scores = by_hand(gallery, query, space)
    torch.testing.assert_close(torch.tensor([one["score"] for one in results]), scores[:5], rtol=0, atol=2e-5)
    assert ids_of(results) == ids[:5]


@pytest.mark.parametrize(("entity", "place"), [("brand", 0), ("season", 1)])
def test_texts_and_photos_are_compared_with_the_regions_of_the_entity(entity, place, search, region_gallery):
    text = text_embeds(["striped", "plain"])
    expect(search({"text": "striped", "entity": entity}, top_k=5), region_gallery, text[0], entity)
    expect(search({"image": PHOTO, "entity": entity}, top_k=5), region_gallery, region_embeds(place), entity)
    query = {"image": PHOTO, "image_weight": 0.5, "terms": {"striped": 1, "plain": -0.7}, "entity": entity}
    vector = 0.5 * region_embeds(place) + text[0] - 0.7 * text[1]
    expect(search(query, top_k=5), region_gallery, vector, entity)


def test_a_batch_holds_queries_of_every_space(search):
    queries = [
        {"image": PHOTO, "entity": "season"},
        PHOTO,
        {"text": "striped", "entity": "brand"},
        "striped",
        {"image": PHOTO, "entity": "brand"},
    ]
    for results, query in zip(search(queries, batch_size=5), queries, strict=True):
        single = search(query)
        assert ids_of(results) == ids_of(single)
        assert [one["score"] for one in results] == pytest.approx([one["score"] for one in single], abs=5e-6)


def test_whole_photos_are_found_as_in_a_gallery_without_regions(search, make):
    assert search(PHOTO) == make()(PHOTO) and search("striped") == make()("striped")


def test_an_entity_of_the_call_or_pipeline_holds_for_queries_that_name_none(make, search, region_gallery):
    expected = {name: search({"text": "striped", "entity": name}) for name in ("brand", "season")}
    assert search("striped", entity="season") == expected["season"]
    by_brand = make(gallery=region_gallery, entity="brand")
    assert by_brand(["striped", {"text": "striped", "entity": "season"}], batch_size=2) == list(expected.values())
    assert by_brand("striped", entity=None) == search("striped") != expected["brand"]


def test_options_and_re_rankers_work_in_the_space_of_the_entity(make, region_gallery):
    search = make(gallery=region_gallery, reranker="query_expansion")
    results = search({"text": "striped", "entity": "brand"}, filter="price < 12", group_by="style", top_k=3)
    assert len(results) == len({one["metadata"]["style"] for one in results}) == 3
    assert sorted(one["initial_rank"] for one in search({"text": "striped", "entity": "brand"}, top_k=24)) == [
        *range(1, 25)
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"text": "a", "entity": "brnd"}, r"unknown `entity` 'brnd' \(did you mean 'brand'\?\): .* brand, season"),
        ({"text": "a", "entity": "image"}, "unknown `entity` 'image': it must be one of brand, season"),
        (
            {"text": "a", "attribute": "brand"},
            "has no attributes, .*: search by .* tag entities with `entity`",
        ),
        ({"text": "a", "attribute": "neck", "entity": "brand"}, "E2Model has no attributes"),
    ],
)
def test_entities_that_do_not_fit_are_refused(query, message, search):
    with pytest.raises(ValueError, match=message):
        search(query)


def test_a_gallery_without_regions_is_refused_with_what_to_do(make):
    message = "keeps only embeddings of whole photos. Embed the catalogue into another gallery with `regions=True`"
    for search in (lambda: make()({"text": "a", "entity": "brand"}), lambda: make(entity="brand")):
        with pytest.raises(ValueError, match=f"`entity` 'brand': the gallery {message}"):
            search()
    with pytest.raises(ValueError, match=f"`late_interaction` scores texts by regions .* the gallery {message}"):
        make(late_interaction=0.3)


def test_a_model_without_entities_is_refused(make, tmp_path):
    config = tiny_config()
    vision = {name: getattr(config.vision_config, name) for name in ("hidden_size", "image_size", "patch_size")}
    vision |= {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    clip = CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))
    gallery = embedded_gallery(tmp_path / "gallery", clip.eval(), tiny_processor())
    with pytest.raises(ValueError, match="CLIPModel has no tag entities, got `entity`='brand': only E2 has"):
        make(model=clip, gallery=gallery)({"text": "a", "entity": "brand"})
