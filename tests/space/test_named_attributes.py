"""Attributes that a demo gains by their names."""

from dataclasses import replace

import pytest
from fashion_space.named_attributes import read_attributes
from fashion_space.queries import Form
from fashion_space.settings import Settings
from fashion_space.shop import Shop

from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_image_processor


NAMES = "heel height: flat, high; back neckline"


@pytest.fixture(scope="module")
def by_text(settings, tmp_path_factory) -> Settings:
    """Settings with a model whose attributes are given by texts of the tiny E2, which are 12 wide."""
    folder = tmp_path_factory.mktemp("by_text")
    tiny_asen(attribute_text_dim=12).save_pretrained(folder / "asen")
    tiny_image_processor().save_pretrained(folder / "asen")
    cache = str(folder / "galleries")
    return replace(settings, attributes=str(folder / "asen"), reranker=None, new_attributes=NAMES, cache=cache)


def test_names_and_values_are_read():
    assert read_attributes(NAMES + " ;") == {"heel height": ["flat", "high"], "back neckline": []}
    for wrong in (": flat", "heel: flat; heel"):
        with pytest.raises(ValueError, match="has no name, or one that comes twice"):
            read_attributes(wrong)


def test_a_new_attribute_is_searched_and_the_others_stay(by_text):
    before, after = Shop.open(replace(by_text, new_attributes=None)), Shop.open(by_text)
    assert before.attributes == ATTRIBUTE_NAMES
    assert after.attributes == [*ATTRIBUTE_NAMES, "heel height", "back neckline"]
    photo = after.products.photo("p03.png")
    for name in after.attributes:
        results = after.search(Form(photo, attribute=name)).results
        assert results[0]["id"] == "p03.png"
        if name in ATTRIBUTE_NAMES:
            assert results == before.search(Form(photo, attribute=name)).results
    assert Shop.open(by_text).attributes == after.attributes  # a second start finds its gallery


def test_a_later_start_follows_the_catalogue(by_text, settings, tmp_path):
    names = [f"p{number:02d}.png" for number in range(4)]
    parts = {"photos": str(tmp_path / "feed.csv"), "id_column": "sku", "cache": str(tmp_path / "galleries")}
    by_feed = replace(by_text, e2=None, text_encoder=settings.e2, **parts)
    for shown in (names, names[1:]):
        lines = [f"{name},{settings.photos}/{name}" for name in shown]
        (tmp_path / "feed.csv").write_text("\n".join(["sku,image", *lines]), encoding="utf-8")
        shop = Shop.open(by_feed)
        assert sorted(shop.by_attribute.gallery.ids()) == shown
        assert "heel height" in shop.by_attribute.gallery.info()["spaces"]


def test_a_model_with_learnt_rows_is_refused(settings, by_text):
    learnt = replace(by_text, attributes=settings.attributes)
    with pytest.raises(ValueError, match="the attributes of this one are learnt rows"):
        Shop.open(learnt)


def test_both_models_are_named():
    environment = {"FASHION_E2": "e2", "FASHION_PHOTOS": "p", "FASHION_NEW_ATTRIBUTES": NAMES}
    with pytest.raises(ValueError, match="name both"):
        Settings.read(environment)
    assert Settings.read(environment | {"FASHION_ATTRIBUTES": "asen"}).new_attributes == NAMES
