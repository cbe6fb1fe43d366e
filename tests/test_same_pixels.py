"""A photo of any format has the same pixels wherever it is read: training, evaluation, gallery, query, pictures."""

import base64

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict, Features, Image, Value
from PIL import Image as PILImage

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.encoded_photos import verify_images
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.photos.photo_processing import process_photo
from hf_fashion.embedding.attribute_corpus import image_batches
from hf_fashion.embedding.corpus import photo_loader
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.images import open_photo
from hf_fashion.reports.grid import draw_grid
from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from hf_fashion.retrieval.ingestion.prefetch import embedded_batches
from tests.photo_formats import READABLE, REFUSED
from tests.tiny_attribute import tiny_asen
from tests.tiny_attribute import tiny_image_processor as attribute_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor


NAMES = list(READABLE)
SHIFTED = "png, 2 bits with a transparent grey"  # `datasets` decodes it to 8 bits, Pillow then forgets that it had 2


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(tiny_model(), tiny_processor())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A feed of all formats."""
    folder = tmp_path_factory.mktemp("formats")
    for number, (encoded, _, _) in enumerate(READABLE.values()):
        (folder / f"{number}.photo").write_bytes(encoded)
    lines = [f"p{number},{number}.photo,{number}" for number in range(len(NAMES))]
    (folder / "feed.csv").write_text("\n".join(["id,image,title", *lines]))
    return folder


@pytest.fixture(scope="module")
def feed(folder) -> Dataset:
    return load_corpus(folder / "feed.csv")["train"]


@pytest.fixture(scope="module")
def embedded() -> Dataset:
    """The same photos as bytes, as in a parquet file."""
    cells = [{"bytes": encoded, "path": None} for encoded, _, _ in READABLE.values()]
    rows = {"id": [f"p{number}" for number in range(len(cells))], "image": cells}
    return Dataset.from_dict(rows, features=Features(id=Value("string"), image=Image()))


@pytest.fixture(scope="module")
def pixels(encoder) -> torch.Tensor:
    """(N, 3, H, W): what the model should get."""
    photos = [open_photo(encoded) for encoded, _, _ in READABLE.values()]
    return torch.cat([process_photo(encoder.image_processor, p, return_tensors="pt")["pixel_values"] for p in photos])


def decoded(catalogue: Catalogue, row: int) -> PILImage.Image:
    return catalogue.decode_photo(row, catalogue.encoded_photo(row))


def assert_same(found: torch.Tensor, expected: torch.Tensor, atol: float = 0.0, without: str = ""):
    wrong = [
        name
        for name, one, other in zip(NAMES, found, expected, strict=True)
        if name != without and not torch.allclose(one, other, rtol=0, atol=atol)
    ]
    assert wrong == []


def test_training(encoder, feed, embedded, pixels, tmp_path):
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in (encoder.image_processor.image_mean, encoder.image_processor.image_std)
    )
    for dataset in (feed, embedded):
        cache = PhotoCache.build(dataset, "image", encoder.image_processor, tmp_path)
        found = torch.stack([torch.from_numpy(cache.photo(row).copy()) for row in range(len(NAMES))])
        assert_same((found / 255 - mean) / std, pixels, atol=1e-6)


def test_evaluation(encoder, feed, embedded, pixels):
    for dataset in (feed, embedded):
        batches = list(photo_loader(dataset, "image", encoder.prepare_photos, 0, batch_size=7))
        assert_same(torch.cat([batch["pixel_values"] for batch in batches]), pixels)


def test_evaluation_by_attributes(feed):
    model, processor = tiny_asen(local=True), attribute_image_processor(do_source=True)
    wanted = torch.ones(len(feed), 1, dtype=torch.bool)
    for rows, _, inputs in image_batches(model, processor, feed, wanted, batch_size=9):
        photos = [open_photo(READABLE[NAMES[row]][0]) for row in rows]
        for name, expected in processor(photos, return_tensors="pt").items():
            assert torch.equal(inputs[name], expected)


def test_gallery(encoder, feed, embedded, pixels, monkeypatch):
    for dataset in (feed, embedded):
        seen: list[torch.Tensor] = []
        monkeypatch.setattr(encoder, "embed_photos", lambda inputs, seen=seen: seen.append(inputs["pixel_values"]))
        list(embedded_batches(encoder, Catalogue(dataset, "id", "image", []), [range(10), range(10, len(NAMES))]))
        assert_same(torch.cat(seen), pixels)


def test_queries(encoder, folder, embedded, pixels):
    paths = [str(folder / f"{number}.photo") for number in range(len(NAMES))]
    urls = ["data:image/png;base64," + base64.b64encode(encoded).decode() for encoded, _, _ in READABLE.values()]
    ways = {
        "path": [{"image": path} for path in paths],
        "base64": urls,
        "opened": [PILImage.open(path) for path in paths],
        "decoded by datasets": embedded["image"][:],
    }
    for way, queries in ways.items():
        found = torch.cat([encoder.prepare_query(query)["photo"]["pixel_values"] for query in queries])
        assert_same(found, pixels, without=SHIFTED if way == "decoded by datasets" else "")


def test_encoder(encoder, folder, pixels):
    with torch.no_grad():
        expected = encoder.model.get_image_features(pixel_values=pixels).pooler_output
    paths = [folder / f"{number}.photo" for number in range(len(NAMES))]
    for photos in (paths, [PILImage.open(path) for path in paths]):
        found = encoder.encode(photos, normalize=False, convert_to="tensor", show_progress_bar=False)
        assert_same(found, expected, atol=1e-5)


def test_pictures_of_results(embedded):
    photos = Catalogue(embedded, "id", "image", []).photos_of([f"p{number}" for number in range(len(NAMES))])
    for name, photo in zip(NAMES, photos, strict=True):
        np.testing.assert_array_equal(np.asarray(photo), np.asarray(open_photo(READABLE[name][0])), err_msg=name)
    result = {"id": "p0", "rank": 1, "initial_rank": 1, "score": 1.0}
    cut_out = PILImage.new("LA", (20, 20), (0, 0))
    grid = draw_grid(cut_out, [result], [PILImage.new("RGBA", (20, 20))], side=40)
    assert grid.getpixel((20, 20)) == grid.getpixel((70, 20)) == (255, 255, 255)


def test_what_is_refused_is_refused_by_all_and_named(encoder, tmp_path):
    for name, (encoded, _) in REFUSED.items():
        cell = {"bytes": encoded, "path": "shop/1.jpg"}
        dataset = Dataset.from_dict(
            {"image": [cell], "id": ["a"]}, features=Features(image=Image(), id=Value("string"))
        )
        (tmp_path / "1.jpg").write_bytes(encoded)
        (bad,) = verify_images(dataset, "image")
        for way in (
            lambda dataset=dataset: PhotoCache.build(dataset, "image", encoder.image_processor, tmp_path / "cache"),
            lambda dataset=dataset: list(photo_loader(dataset, "image", encoder.prepare_photos, 0)),
            lambda dataset=dataset: decoded(Catalogue(dataset, "id", "image", []), 0),
            lambda: encoder.prepare_query(str(tmp_path / "1.jpg")),
            lambda: encoder.encode(tmp_path / "1.jpg"),
        ):
            with pytest.raises(ValueError) as error:
                way()
            assert "1.jpg" in str(error.value) and bad.reason in str(error.value), name
    with pytest.raises(ValueError, match=r"train: 1 unreadable image.*\n    row 0"):
        check_corpus(DatasetDict(train=dataset), ColumnMap(), require_caption=False)
