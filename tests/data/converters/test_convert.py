"""Conversion as a whole: arguments, photos that are URLs, and what a model reads at the end."""

import logging
import re

import pytest

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.convert import convert_corpus
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductDataset
from hf_fashion.fetching import urls
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.ingestion.load_catalogue import load_catalogue
from tests.data.converted import converted, save_photos
from tests.data.corpora import jpeg
from tests.photo_server import PhotoServer
from tests.tiny_e2 import tiny_model, tiny_processor


@pytest.fixture
def server(monkeypatch):
    """A server of photos that may be reached."""
    monkeypatch.setattr(urls, "require_public", lambda address: None)
    with PhotoServer() as server:
        yield server


def save_export(folder, *photos):
    rows = [f"p{number},Dress {number},{photo}" for number, photo in enumerate(photos)]
    (folder / "export.csv").write_text("\n".join(["Handle,Title,Image Src", *rows, ""]))
    return folder / "export.csv"


def test_from_a_shops_export_to_training_and_a_gallery(server, tmp_path):
    export = save_export(tmp_path, *(server.add(f"/{number}.jpg", jpeg(number)) for number in range(3)))
    corpus = converted("shopify", export, tmp_path / "out", fetch_images=tmp_path / "photos")["train"]
    assert corpus["image_url"][0] == [f"http://127.0.0.1:{server._server.server_port}/0.jpg"]
    column_map, model, processor = ColumnMap.shipped("shopify"), tiny_model(), tiny_processor()
    photos = PhotoCache.build(corpus, "image", processor.image_processor, tmp_path / "cache")
    products = ProductDataset(corpus, column_map, photos, processor)
    assert products.titles == ["Dress 0", "Dress 1", "Dress 2"] and products.tags[0] == {"brand": None, "type": None}
    catalogue = load_catalogue(tmp_path / "out", column_map="shopify")
    gallery = Gallery.from_dataset(**catalogue, model=model, processor=processor, uri=tmp_path / "gallery")
    assert len(gallery) == 3
    convert_corpus("shopify", export, tmp_path / "again", fetch_images=tmp_path / "photos")
    assert set(server.asked.values()) == {1}


def test_urls_are_named_where_nobody_asked_to_fetch_them(tmp_path):
    export = save_export(tmp_path, "https://cdn.example/1.jpg", "https://cdn.example/2.jpg")
    with pytest.raises(
        ValueError, match=r"2 photos are URLs, the first in export\.csv, line 2: 'https://cdn\.example/1"
    ):
        convert_corpus("shopify", export, tmp_path / "out")
    save_photos(tmp_path, "1.jpg")
    with pytest.raises(ValueError, match=r"fetches photos that are URLs, and none is one here"):
        convert_corpus("shopify", save_export(tmp_path, "1.jpg"), tmp_path / "out", fetch_images=tmp_path / "photos")
    assert not (tmp_path / "out").exists() and not (tmp_path / "photos").exists()


def test_photos_that_fail_are_named_by_row_and_the_others_kept(server, tmp_path, caplog):
    export = save_export(tmp_path, server.add("/1.jpg", jpeg(1)), server.add("/2.jpg", b"", 404))
    arguments = ("shopify", export, tmp_path / "out")
    with pytest.raises(ValueError, match=r"1 photos could not be fetched.*\s+export\.csv, line 3: .http.*404"):
        convert_corpus(*arguments, fetch_images=tmp_path / "photos")
    assert not (tmp_path / "out").exists() and len(list((tmp_path / "photos").rglob("*.jpg"))) == 1
    with caplog.at_level(logging.WARNING):
        assert convert_corpus(*arguments, fetch_images=tmp_path / "photos", on_bad_image="skip") == {"train": 2}
    assert re.search(r"1 photos could not be fetched.*\s+export\.csv, line 3: .http.*404", caplog.text)
    checked, _ = check_corpus(load_corpus(tmp_path / "out"), ColumnMap.shipped("shopify"), on_bad_image="skip")
    assert checked["train"]["id"][:] == ["p0"]


def test_a_photo_that_fails_keeps_its_place_before_the_others(server, tmp_path):
    export = save_export(tmp_path, server.add("/front.jpg", b"", 404))
    with open(export, "a") as file:
        file.write(f"p0,,{server.add('/back.jpg', jpeg(2))}\n")
    convert_corpus("shopify", export, tmp_path / "out", fetch_images=tmp_path / "photos", on_bad_image="skip")
    corpus = load_corpus(tmp_path / "out")
    with pytest.raises(ValueError, match=r"1 unreadable image.*\s+export\.csv, line 2 .*there is no such file"):
        check_corpus(corpus, ColumnMap.shipped("shopify"))


def test_private_addresses_are_failures_of_their_rows(tmp_path):
    export = save_export(tmp_path, "http://169.254.169.254/latest/meta-data/1.jpg")
    with pytest.raises(ValueError, match=r"export\.csv, line 2: .http://169.*: its address is in a private network"):
        convert_corpus("shopify", export, tmp_path / "out", fetch_images=tmp_path / "photos")


def test_arguments_are_checked_first(tmp_path):
    with pytest.raises(ValueError, match="no format 'shop'"):
        convert_corpus("shop", tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match=r"`output` .* exists already: remove it"):
        convert_corpus("shopify", tmp_path, tmp_path)
    with pytest.raises(ValueError, match="`on_bad_image` must be one of error, skip; got 'drop'"):
        convert_corpus("shopify", tmp_path, tmp_path / "out", on_bad_image="drop")
    (tmp_path / "export.csv").write_text("Handle,Title,Image Src\n")
    with pytest.raises(ValueError, match=r"export\.csv has no rows in train: is it the whole file\?"):
        convert_corpus("shopify", tmp_path / "export.csv", tmp_path / "out")


def test_paths_may_be_relative_and_the_corpus_is_read_from_anywhere(tmp_path, monkeypatch):
    save_photos(tmp_path, "1.jpg")
    save_export(tmp_path, "1.jpg")
    monkeypatch.chdir(tmp_path)
    convert_corpus("shopify", "export.csv", "out")
    monkeypatch.chdir("/")
    assert load_corpus(tmp_path / "out")["train"][0]["image"][0].size == (12, 16)
