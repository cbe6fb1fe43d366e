"""The shop finds what the pipeline finds, for strangers too."""

import io
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr
import pytest
from fashion_space.cards import example_row
from fashion_space.engine import Engine, shortened
from fashion_space.filters import condition
from fashion_space.form import examples_of
from fashion_space.page import filled_form, found_or_told, product_or_told
from fashion_space.products import Products
from fashion_space.queries import Form
from fashion_space.settings import Settings
from fashion_space.shop import Shop
from PIL import Image
from transformers import pipeline

from hf_fashion.models.captioner.pipeline_captioner import captioning_pipeline
from hf_fashion.pipelines.fashion_retrieval import FashionRetrievalPipeline
from hf_fashion.retrieval.gallery import Gallery
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner
from tests.tiny_e2 import TAG_ENTITIES, tiny_model, tiny_processor


def encoded(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, format="png")
    return file.getvalue()


def assert_same(results: list[dict], expected: list[dict]) -> None:
    assert [result["id"] for result in results] == [result["id"] for result in expected]
    assert [result["score"] for result in results] == pytest.approx([one["score"] for one in expected], abs=3e-6)
    assert [result["metadata"] for result in results] == [result["metadata"] for result in expected]


@pytest.fixture(scope="module")
def photo(shop) -> bytes:
    return encoded(shop.products.photo("p03.png"))


def test_searches_are_those_of_the_pipeline(shop, photo):
    gallery = shop.whole.gallery
    direct = FashionRetrievalPipeline(tiny_model(), gallery=gallery, processor=tiny_processor(), device="cpu")
    assert_same(shop.search(Form(photo=photo)).results, direct(photo, top_k=12))
    weighted = {"image": photo, "image_weight": 0.5, "terms": {"red": 1.0, "dots": -0.5}}
    form = Form(photo, "red", "dots", 0.5, filter="price < 20", top_k=5)
    assert_same(shop.search(form).results, direct(weighted, top_k=5, filter="price < 20"))


def test_an_attribute_is_compared_before_and_after_fr(shop, photo):
    form = Form(photo, attribute=ATTRIBUTE_NAMES[0], rerank=True)
    found = shop.search(form)
    query = {"image": photo, "attribute": ATTRIBUTE_NAMES[0]}
    assert found.engine.name == "IPAD"
    assert_same(found.results, shop.by_attribute.plain(query, top_k=12))
    assert_same(found.reranked, shop.by_attribute.reranked(query, top_k=12))
    assert any(result["rank"] != result["initial_rank"] for result in found.reranked)
    assert shop.search(replace(form, rerank=False)).reranked is None


def test_filters_of_the_page_are_the_gallerys(shop, photo):
    assert [filter.column for filter in shop.filters] == ["brand", "season", "price", "discount"]
    chosen = condition(shop.filters, [[], ["winter", "summer"], 12, 30, None, None])
    results = shop.search(Form(photo, filter=chosen, top_k=24)).results
    expected = [row for row in shop._table.to_pylist() if row["season"] in ("winter", "summer")]
    expected = {row["id"] for row in expected if 12 <= row["price"] <= 30}
    assert {result["id"] for result in results} == expected != set()


def test_heat_maps_of_both_models(shop):
    assert list(shop.heat_maps("p03.png", "")) == TAG_ENTITIES
    rounds = shop.heat_maps("p03.png", ATTRIBUTE_NAMES[1])
    assert list(rounds) == [f"round {number}" for number in range(1, len(rounds) + 1)] and len(rounds) > 1
    assert {picture.size for picture in rounds.values()} == {(64, 64)}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form(words="red", rerank=True), "FR re-ranks searches by one attribute"),
        (Form(photo=b"x", attribute="price"), "No model here compares 'price'"),
        (Form(photo=b"no photo"), "no photo that can be opened"),
        (Form(words="red", filter="price <"), "filter"),
        (Form(words="red", filter="cost < 3"), "cost"),
        (Form(words="red = 0"), "cancel"),
    ],
)
def test_impossible_searches_are_sentences(shop, form, words):
    with pytest.raises(ValueError, match=words):
        shop.search(form)


def test_queries_of_strangers_name_neither_files_nor_urls(shop, catalogue):
    for name in (str(catalogue / "p03.png"), "http://127.0.0.1/p03.png"):
        with pytest.raises(ValueError, match="photos are not read from"):
            shop.search(Form(photo=name))


def test_a_change_is_searched_by_the_regions_that_the_model_has(shop):
    assert list(shop.whole.gallery.info()["spaces"]) == ["image", *shop.whole.plain.model.config.tag_entities]


def test_a_gallery_may_be_given_and_has_to_fit(settings, shop):
    given = Engine.open(settings.e2, shop.whole.gallery, shop.products, "unused")
    assert given.gallery is shop.whole.gallery
    with pytest.raises(ValueError, match="FASHION_TITLE is 'name', the gallery's columns are"):
        Shop(shop.products, given, None, replace(settings, title="name"))


@pytest.fixture
def feed(settings, catalogue, tmp_path):
    """Settings that name a small product feed, and a function that writes its rows: id, photo, price."""

    def write(*rows: tuple[str, str | Path, int]) -> None:
        lines = [f"{name},{catalogue / photo},{price}" for name, photo, price in rows]
        (tmp_path / "feed.csv").write_text("\n".join(["sku,image,price", *lines]), encoding="utf-8")

    parts = {"photos": str(tmp_path / "feed.csv"), "id_column": "sku", "cache": str(tmp_path / "galleries")}
    return replace(settings, attributes=None, reranker=None, **parts), write


def test_a_later_start_follows_the_catalogue(feed, capsys):
    settings, write = feed
    write(("a", "p00.png", 10), ("b", "p01.png", 20), ("c", "p02.png", 30))
    first = Shop.open(settings)
    write(("a", "p00.png", 11), ("b", "p03.png", 20), ("d", "p04.png", 40))
    again = Shop.open(settings)
    assert again.whole.gallery.info()["uri"] == first.whole.gallery.info()["uri"]
    assert sorted(again.whole.gallery.ids()) == ["a", "b", "d"] and again.details("a") == {"price": 11}
    best = again.search(Form(encoded(again.products.photo("b")))).results[0]
    assert best["id"] == "b" and best["score"] > 0.999
    assert "1 added, 1 embedded again" in capsys.readouterr().out


def test_a_photo_that_cannot_be_read_any_more_leaves_its_place_empty(feed, catalogue, tmp_path, caplog):
    settings, write = feed
    moved = tmp_path / "moved.png"
    moved.write_bytes((catalogue / "p00.png").read_bytes())
    write(("a", moved, 10), ("b", "p01.png", 20))
    shop = Shop.open(settings)
    moved.unlink()
    sentence, html = found_or_told(shop, {"words": "red"}, [None, None])
    assert "The 2 nearest of 2 products" in sentence
    assert html.count("<img ") == html.count("no photo") == 1
    assert "no photo" in example_row(shop, examples_of(shop)) and "'a' is shown without its photo" in caplog.text
    with pytest.raises(gr.Error, match=r"The photo of this product cannot be read\."):
        filled_form(shop, ["photo"], 3)
    dialog = product_or_told(shop, "a", "")
    assert "The photo of this product cannot be read." in dialog and "moved.png" not in html + dialog


def test_a_large_photo_of_an_example_is_reduced(feed, tmp_path):
    settings, write = feed
    Image.effect_noise((3000, 2000), 100).save(tmp_path / "large.jpg")
    write(("a", tmp_path / "large.jpg", 10))
    photo, *_ = filled_form(Shop.open(settings), ["photo"], 3)
    assert photo.size == (1024, 683)


def test_another_catalogue_and_other_columns_have_a_gallery_of_their_own(feed, catalogue):
    settings, write = feed
    write(("a", "p00.png", 10), ("b", "p01.png", 20))
    uris = {Shop.open(settings).whole.gallery.info()["uri"]}
    uris.add(Shop.open(replace(settings, columns="price, sku")).whole.gallery.info()["uri"])
    other = Shop.open(replace(settings, photos=str(catalogue), id_column=None))
    assert len(uris | {other.whole.gallery.info()["uri"]}) == 3 and len(other) == 24


def test_columns_may_be_chosen(settings):
    chosen = Products.load(replace(settings, columns="brand, price"))
    assert chosen.catalogue["metadata_columns"] == ["brand", "price"] and len(chosen) == 24
    everything = Products.load(settings).catalogue["metadata_columns"]
    assert everything == ["title", "brand", "season", "price", "discount"]


def test_one_model_is_enough(shop, settings):
    only_e2 = Shop(shop.products, shop.whole, None, settings)
    assert (only_e2.attributes, only_e2.reranks) == ([], False)
    only_ipad = Shop(shop.products, None, shop.by_attribute, settings)
    assert not only_ipad.reads_words
    with pytest.raises(ValueError, match="Choose what to compare"):
        only_ipad.search(Form(words="red"))


def test_columns_of_only_one_gallery_are_no_filters(shop, settings, catalogue, tmp_path):
    reduced = shop.products.catalogue | {"metadata_columns": ["brand"]}
    pipe = shop.by_attribute.plain
    gallery = Gallery.from_dataset(**reduced, model=pipe.model, processor=pipe.image_processor, uri=tmp_path / "g")
    other = Engine.open(settings.attributes, gallery, shop.products, "unused")
    assert Shop(shop.products, shop.whole, other, settings).columns == ["brand"]


def test_long_paths_are_not_told():
    assert shortened("/home/me/secret/runs/quickstart/e2/best") == "quickstart/e2/best"
    assert shortened("me/my-e2") == "me/my-e2"
    assert Settings("e2").cache == "galleries"


def test_a_captioner_puts_a_products_photo_into_words(shop, settings, tmp_path):
    assert shop.caption("p03.png") is None
    assert "In words" not in product_or_told(shop, "p03.png", "")
    for part in (tiny_captioner(), tiny_caption_processor()):
        part.save_pretrained(tmp_path)
    whole = replace(settings, attributes=None, reranker=None, captioner=str(tmp_path))
    with_words = Shop.open(whole)
    caption = with_words.caption("p03.png")
    assert (
        caption
        == pipeline("fashion-captioning", model=str(tmp_path))(shop.products.photo("p03.png"))[0]["generated_text"]
    )
    assert f"<p>In words: {escape(caption)}</p>" in product_or_told(with_words, "p03.png", "")


def test_a_product_without_a_photo_has_a_dialog_where_photos_are_put_into_words(shop, monkeypatch):
    monkeypatch.setattr(shop, "captioner", captioning_pipeline(tiny_captioner(), tiny_caption_processor()))
    monkeypatch.setitem(shop._rows, "gone", 0)  # of the gallery, but not of the catalogue
    dialog = product_or_told(shop, "gone", "")
    assert dialog.startswith("<dialog") and shop.details("gone")["brand"] in dialog
    assert "The catalogue has no photo of this product." in dialog and "In words" not in dialog
