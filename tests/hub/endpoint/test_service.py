"""Answers of the service, in this process: attributes, errors that are no one's request, what needs hf_fashion."""

import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.embedding.fingerprint import embedder_fingerprint
from hf_fashion.hub.endpoint import service
from hf_fashion.hub.endpoint.service import EndpointService
from hf_fashion.hub.endpoint.write import write_endpoint
from hf_fashion.retrieval.gallery import Gallery
from tests.hub.endpoint.endpoints import encoded
from tests.tiny_attribute import tiny_image_processor, tiny_photos
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.tiny_ipad import tiny_ipad


def saved(folder: Path, *parts) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


@pytest.fixture
def e2(tmp_path) -> Path:
    return saved(tmp_path / "e2", tiny_model(), tiny_processor())


def test_ipad_embeds_for_an_attribute(tmp_path):
    model, processor = tiny_ipad(), tiny_image_processor(do_source=True)
    folder = saved(tmp_path / "ipad", model, processor)
    write_endpoint(folder)
    endpoint, photo = EndpointService(folder), tiny_photos()[0]
    expected = Encoder(model, processor).encode(photo, attribute="neckline")
    for data in (
        {"inputs": encoded(photo), "parameters": {"attribute": "neckline"}},
        {"inputs": {"image": encoded(photo), "attribute": "neckline"}},
    ):
        torch.testing.assert_close(torch.tensor(endpoint.answer(data)), torch.tensor(expected), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="give the query, the call or the pipeline an `attribute`"):
        endpoint.answer({"inputs": encoded(photo)})
    with pytest.raises(ValueError, match="IpadModel reads no text"):
        endpoint.answer({"inputs": encoded(photo), "parameters": {"candidate_labels": ["dress"]}})


def test_e2_embeds_and_searches_for_an_entity(e2, tmp_path):
    model, processor, photo = tiny_model(), tiny_processor(), tiny_images()[0]
    encoder = Encoder(model, processor, regions=True)
    expected = encoder.encode_query({"image": photo, "entity": "season"})
    write_endpoint(e2)
    for data in (
        {"inputs": encoded(photo), "parameters": {"entity": "season"}},
        {"inputs": {"image": encoded(photo), "entity": "season"}},
    ):
        torch.testing.assert_close(
            torch.tensor(EndpointService(e2).answer(data)), torch.tensor(expected), rtol=0, atol=1e-5
        )
    gallery = Gallery.create(tmp_path / "gallery", encoder.spaces, None, embedder_fingerprint(model, processor))
    gallery.add(["a", "b"], encoder.embed_photos(photos(processor)))
    write_endpoint(e2, tmp_path / "gallery")
    endpoint = EndpointService(e2)
    for parameters in ({"entity": "season"}, {"late_interaction": 0.3}):
        assert len(endpoint.answer({"inputs": "a dress", "parameters": parameters})) == 2
    changed = {"image": encoded(photo), "change": "in red"}
    assert len(endpoint.answer({"inputs": changed, "parameters": {"change_by": "arithmetic"}})) == 2
    write_endpoint(e2)
    with pytest.raises(ValueError, match="a `change` is read against the tags of a gallery"):
        EndpointService(e2).answer({"inputs": changed})


def test_metadata_of_any_type_can_be_written_as_json(e2, tmp_path):
    model, processor = tiny_model(), tiny_processor()
    schema = pa.schema([("added", pa.date32()), ("price", pa.float64())])
    gallery = Gallery.create(tmp_path / "gallery", {"image": 12}, schema, embedder_fingerprint(model, processor))
    metadata = {"added": [date(2026, 1, 31)] * 2, "price": [float("nan"), 3.5]}
    gallery.add(["a", "b"], Encoder(model, processor).embed_photos(photos(processor)), metadata)
    write_endpoint(e2, tmp_path / "gallery", "query_expansion")
    results = EndpointService(e2).answer({"inputs": "a dress"})
    assert {result["id"]: result["metadata"] for result in results} == {
        "a": {"added": "2026-01-31", "price": None},
        "b": {"added": "2026-01-31", "price": 3.5},
    }


def photos(processor) -> dict:
    return dict(processor(images=tiny_images(2), return_tensors="pt"))


def test_an_error_of_the_endpoint_is_logged_and_not_told(e2, monkeypatch, caplog):
    write_endpoint(e2)
    endpoint = EndpointService(e2)
    monkeypatch.setattr(endpoint, "_embed", lambda *_, **__: 1 / 0)
    with pytest.raises(RuntimeError, match=r"^the request could not be answered, .* \(ZeroDivisionError\): its log"):
        endpoint.answer({"inputs": "a dress"})
    assert "division by zero" in caplog.text


def test_a_search_without_hf_fashion_says_what_to_install(e2, monkeypatch):
    monkeypatch.setitem(sys.modules, "hf_fashion.retrieval.gallery", None)
    with pytest.raises(ImportError, match=r'requirements\.txt of the repository names "hf-fashion\[gallery\]"'):
        service._open_search(e2, "gallery")
