"""Searching by a photo and what to change in it: by regions, by one vector, by the edited tags."""

import pyarrow as pa
import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from hf_fashion.embedding.changes.changed_query import Part
from hf_fashion.embedding.changes.photo_changes import PhotoChanger
from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.pipelines import change_fashion_retrieval
from hf_fashion.pipelines.change_fashion_retrieval import search_parts
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.results import RetrievalResults
from tests.pipelines.searches import METADATA, by_hand, embedded_gallery, ids_of, photos
from tests.tiny_combiner import tiny_combiner
from tests.tiny_e2 import tiny_config, tiny_images, tiny_model, tiny_processor, tiny_tokenizer


PHOTO = tiny_images(1, seed=5)[0]
STYLES = [f"s{number}" for number in range(6)]
CHANGE = {"image": PHOTO, "change": "but s3"}


@pytest.fixture(scope="module")
def brand_gallery(tmp_path_factory) -> Gallery:
    """The products of the others, with regions, and a brand each."""
    uri = tmp_path_factory.mktemp("gallery") / "brands"
    plain = embedded_gallery(uri / "plain", tiny_model(), tiny_processor(), regions=True)
    ids = sorted(plain.ids())
    vectors = {space: plain.vectors(ids, space) for space in ("image", "brand", "season")}
    schema = METADATA.set(0, METADATA.field("style").with_name("brand"))
    gallery = Gallery.create(uri / "brands", dict.fromkeys(vectors, 12), schema, plain.info()["fingerprint"])
    brands = [["Nike", "Puma"][number % 2] for number in range(len(ids))]
    gallery.add(ids, vectors, {"brand": brands, "price": [1.0] * len(ids), "sizes": [["S"]] * len(ids)})
    return gallery


def embeds(photo) -> tuple[PhotoChanger, dict[str, torch.Tensor]]:
    changer = PhotoChanger(tiny_model(), tiny_tokenizer(), {"style": STYLES}, ["image"])
    rows = changer.embed_photos(dict(tiny_processor()(images=[photo], return_tensors="pt")))
    return changer, {space: its[0] for space, its in rows.items()}


def test_without_regions_the_photo_is_moved(make, gallery):
    changer, photo = embeds(PHOTO)
    for way in ("arithmetic", "text"):
        ids, scores = by_hand(gallery, changer.query(photo, "but s3", way=way).vector)
        results = make()(CHANGE, change_by=way, top_k=24)
        assert ids_of(results) == ids
        torch.testing.assert_close(torch.tensor([one["score"] for one in results]), scores, rtol=0, atol=2e-5)


def test_with_regions_the_named_one_is_replaced(make, brand_gallery):
    changer, photo = embeds(PHOTO)
    ids = sorted(brand_gallery.ids())
    vectors = {space: brand_gallery.vectors(ids, space) for space in ("brand", "season")}
    scores = 0.5 * (vectors["brand"] @ changer.embed_text("Puma")) + 0.5 * (vectors["season"] @ photo["season"])
    best, order = scores.sort(descending=True)
    results = make(gallery=brand_gallery)({"image": PHOTO, "change": "but Puma"}, top_k=5)
    assert ids_of(results) == [ids[place] for place in order[:5].tolist()]
    torch.testing.assert_close(torch.tensor([one["score"] for one in results]), best[:5], rtol=0, atol=2e-5)
    assert [one["metadata"]["brand"] for one in results] == [
        {"Nike": "Nike", "Puma": "Puma"}[["Nike", "Puma"][int(one["id"][1:]) % 2]] for one in results
    ]


def test_a_longer_list_begins_with_the_shorter_one(make, brand_gallery, monkeypatch):
    monkeypatch.setattr(change_fashion_retrieval, "NUM_SCORED", 4)
    search, query = make(gallery=brand_gallery), {"image": PHOTO, "change": "but Puma"}
    whole = search(query, top_k=24)
    assert sorted(ids_of(whole)) == sorted(brand_gallery.ids())
    for top_k in range(1, 24):
        assert search(query, top_k=top_k) == whole[:top_k]
    grouped = search(query, group_by="brand")
    assert ids_of(grouped) == [
        next(one["id"] for one in whole if one["metadata"]["brand"] == brand)
        for brand in (group["metadata"]["brand"] for group in grouped)
    ]


def test_equal_products_of_several_spaces_come_by_id(tmp_path):
    generator = torch.Generator().manual_seed(0)
    gallery = Gallery.create(tmp_path / "gallery", {"image": 512, "brand": 512})
    rows = {space: torch.randn(1, 512, generator=generator) for space in ("image", "brand")}
    gallery.add(
        names := [f"p{number:02d}" for number in range(33)], {space: one.expand(33, -1) for space, one in rows.items()}
    )

    def search(queries: torch.Tensor, space: str, top_k: int) -> RetrievalResults:
        return gallery.search(queries, space, top_k)

    for _ in range(50):
        near = {space: one[0] + 0.1 * torch.randn(512, generator=generator) for space, one in rows.items()}
        parts = [Part(space, one / one.norm(), 0.5) for space, one in near.items()]
        found = search_parts(search, gallery, parts, 33)
        assert list(found.ids[0]) == names and len(found.scores.unique()) == 1


def test_a_gallery_that_was_emptied_has_no_results(make, tmp_path):
    gallery = embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    search = make(gallery=gallery)
    gallery.delete(gallery.ids())
    assert search(PHOTO) == search(CHANGE) == []


def test_the_tags_of_a_product_are_its_metadata(make):
    changer, photo = embeds(photos(tiny_model())[9])  # of style s2
    expected = changer.query(photo, "but s3", {"style": "s2"}, "text").vector
    seen = []

    def editor(description: str, words: str) -> str:
        seen.append((description, words))
        return "s3"

    results = make(editor=editor)({"image": photos(tiny_model())[9], "change": "but s3"}, change_by="text")
    assert seen == [("s2", "but s3")]
    assert ids_of(results) == ids_of(make()({"image": photos(tiny_model())[9], "change": "but s3"}, change_by="text"))
    assert torch.allclose(expected, changer.embed_text("s3"))


def test_tags_that_a_product_lacks_are_named_by_the_model(make, gallery, tmp_path):
    photo = photos(tiny_model())[9]
    ids = sorted(gallery.ids())
    styles = [None if one == "p09" else "s2" for one in ids]
    schema = pa.schema([("style", pa.string())])
    without = Gallery.create(tmp_path / "gallery", {"image": 12}, schema, gallery.info()["fingerprint"])
    without.add(ids, {"image": gallery.vectors(ids, "image")}, {"style": styles})
    seen = []

    def editor(description: str, words: str) -> str:
        seen.append(description)
        return "s3"

    make(gallery=without, editor=editor)({"image": photo, "change": "but s3"}, change_by="text")
    assert seen == ["s2"], "the only known value"


def test_options_and_re_rankers_work(make, brand_gallery):
    search = make(gallery=brand_gallery, reranker="query_expansion")
    results = search({"image": PHOTO, "change": "but Puma", "group_by": "brand", "filter": "id <> 'p01'"})
    assert sorted(one["metadata"]["brand"] for one in results) == ["Nike", "Puma"]
    assert "p01" not in ids_of(search(CHANGE, filter="id <> 'p01'", top_k=23))
    assert search(CHANGE, threshold=2.0) == []
    assert search(CHANGE, filter="price > 5") == []


def test_a_re_ranker_compares_whole_photos_where_one_region_is_searched(make, tmp_path):
    model = tiny_model(tag_entities=["brand"])
    plain = embedded_gallery(tmp_path / "plain", model, tiny_processor(), regions=True)
    ids = sorted(plain.ids())
    vectors = {space: plain.vectors(ids, space) for space in ("image", "brand")}
    schema = pa.schema([("brand", pa.string())])
    gallery = Gallery.create(tmp_path / "brands", dict.fromkeys(vectors, 12), schema, plain.info()["fingerprint"])
    gallery.add(ids, vectors, {"brand": [["Nike", "Puma"][number % 2] for number in range(len(ids))]})
    seen = []

    def reranker(queries: torch.Tensor, candidates: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append(candidates)
        return (candidates @ queries[..., None])[..., 0]

    search = make(model=model, gallery=gallery, reranker=reranker)
    results = search({"image": PHOTO, "change": "but Puma"}, top_k=5, num_candidates=5)
    expected = gallery.vectors([one["id"] for one in sorted(results, key=lambda one: one["initial_rank"])], "image")
    torch.testing.assert_close(seen[0][0], expected)


def test_a_batch_holds_other_queries_too(make, brand_gallery):
    search = make(gallery=brand_gallery)
    queries = ["striped", {"image": PHOTO, "change": "but Puma"}, PHOTO, {"image": PHOTO, "change": "not Nike"}]
    for results, query in zip(search(queries, batch_size=4, late_interaction=0.5), queries, strict=True):
        single = search(query, late_interaction=0.5)
        assert ids_of(results) == ids_of(single)
        assert [one["score"] for one in results] == pytest.approx([one["score"] for one in single], abs=5e-6)


def test_clip_is_moved_too(make, tmp_path):
    config = tiny_config()
    vision = {name: getattr(config.vision_config, name) for name in ("hidden_size", "image_size", "patch_size")}
    vision |= {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    clip = CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))
    search = make(model=clip, gallery=embedded_gallery(tmp_path / "gallery", clip.eval(), tiny_processor()))
    assert len(search({"image": PHOTO, "change": "but s3"})) == 10


def test_a_gallery_of_ones_own_without_tags(make, gallery):
    class Plain:
        def __init__(self):
            self.info, self.check_model, self.vectors = gallery.info, gallery.check_model, gallery.vectors

        def __len__(self):
            return len(gallery)

        def search(self, *args, **kwargs):
            found = gallery.search(*args, **kwargs)
            return RetrievalResults(found.ids, found.scores, vectors=found.vectors)

    search = make(gallery=Plain())
    changer, photo = embeds(PHOTO)
    vector = photo["image"] + changer.embed_text("s3")
    assert ids_of(search(CHANGE)) == by_hand(gallery, vector)[0][:10]
    with pytest.raises(ValueError, match="edits the photo's tags, and there are none"):
        search(CHANGE, change_by="text")


def test_a_combiner_is_asked_for_and_checked(make, brand_gallery, gallery, tmp_path):
    own = [model_fingerprint(tiny_model())]
    tiny_combiner(embedder_fingerprints=own).save_pretrained(tmp_path)
    changed = {"image": PHOTO, "change": "but Puma", "change_by": "combiner"}
    search = make(gallery=brand_gallery, combiner=tmp_path)
    _, photo = embeds(PHOTO)
    parts = (tiny_model(), tiny_tokenizer(), {"brand": ["Nike", "Puma"]}, photo)
    by_hand = PhotoChanger(*parts, combiner=search.combiner).query(photo, "but Puma", way="combiner")
    ids = sorted(brand_gallery.ids())
    scores = sum(part.weight * (brand_gallery.vectors(ids, part.space) @ part.vector) for part in by_hand.parts)
    assert ids_of(search(changed, top_k=24)) == [ids[place] for place in scores.argsort(descending=True).tolist()]
    assert ids_of(search({"image": PHOTO, "change": "but Puma"}, top_k=24)) == ids_of(search(changed, top_k=24))
    plain = search({"image": PHOTO, "change": "but Puma", "change_by": "arithmetic"}, top_k=24)
    assert ids_of(plain) == ids_of(make(gallery=brand_gallery)({"image": PHOTO, "change": "but Puma"}, top_k=24))
    with pytest.raises(ValueError, match="'combiner' needs one that was trained with this model"):
        make(gallery=brand_gallery)(changed)
    with pytest.raises(ValueError, match="searches the regions brand, season, which the gallery does not keep"):
        make(combiner=tmp_path)
    with pytest.raises(ValueError, match="the combiner was trained with E2Model-1, this is E2Model-"):
        make(combiner=tiny_combiner(spaces=["image"], embedder_fingerprints=["E2Model-1"]))


def test_tags_are_read_again_when_the_gallery_has_changed(make, tmp_path):
    growing = embedded_gallery(tmp_path / "gallery", tiny_model(), tiny_processor())
    search = make(gallery=growing)
    search(CHANGE)
    first = search.changes.changer
    assert first.values == {"style": STYLES} and search.changes.changer is first
    vectors = {"image": growing.vectors(["p00", "p01"], "image")}
    metadata = {"style": ["s9", "s9"], "price": [1.0, 1.0], "sizes": [["S"], ["S"]]}
    growing.add(["n0", "n1"], vectors, metadata)
    search({"image": PHOTO, "change": "but s9"})
    assert search.changes.changer.values == {"style": [*STYLES, "s9"]}
    growing.delete(["n0"])  # no value is lost, so that the texts stay embedded
    again = search.changes.changer
    growing.add(["n0"], {"image": vectors["image"][:1]}, {name: its[:1] for name, its in metadata.items()})
    assert search.changes.changer is again


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"change": "in red"}, "`change` 'in red' needs the photo that it changes"),
        ({"image": PHOTO, "change": " "}, "`change` must say what is different"),
        ({"image": PHOTO, "change": 3}, "`change` must be a string, got int"),
        ({"image": PHOTO, "change": "the same"}, "`change` must name what is different"),
        (CHANGE | {"text": "a"}, "has an `image` and no other part, got text or terms"),
        (CHANGE | {"entity": "brand"}, "has an `image` and no other part, got entity"),
        ({"image": PHOTO, "change_by": "text"}, "`change_by` says how a `change` is searched by, got a query without"),
        (CHANGE | {"change_by": "txt"}, "`change_by` must be one of arithmetic, text, combiner, got 'txt'"),
    ],
)
def test_changes_that_do_not_fit_are_refused(query, message, make):
    with pytest.raises(ValueError, match=message):
        make()(query)


def test_the_region_of_a_column_with_another_spelling_is_replaced(make, brand_gallery, tmp_path, caplog):
    ids = sorted(brand_gallery.ids())
    vectors = {space: brand_gallery.vectors(ids, space) for space in ("image", "brand", "season")}
    schema = pa.schema([("productBrand", pa.string())])
    feed = Gallery.create(
        tmp_path / "gallery", dict.fromkeys(vectors, 12), schema, brand_gallery.info()["fingerprint"]
    )
    feed.add(ids, vectors, {"productBrand": [["Nike", "Puma"][number % 2] for number in range(len(ids))]})
    query = {"image": PHOTO, "change": "but Nike"}
    for way in ("arithmetic", "text"):
        expected = make(gallery=brand_gallery)(query, change_by=way)
        assert ids_of(make(gallery=feed)(query, change_by=way)) == ids_of(expected)
    assert "replace the regions of season: no metadata column" in caplog.text
    assert "the columns are productBrand" in caplog.text


def test_an_encoder_does_not_know_the_tags(make):
    with pytest.raises(ValueError, match="a `change` is read against the tags of a gallery"):
        make().encoder.encode_query(CHANGE)
