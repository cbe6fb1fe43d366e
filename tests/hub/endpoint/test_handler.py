"""Endpoints as the Hub starts them: a process with the repository's folder only. Bad requests are answered with status
400 and a sentence, and the process lives on in bounded memory."""

import base64
import socket
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from transformers import pipeline

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.hub.endpoint.write import write_endpoint
from tests.conftest import REPOSITORY
from tests.hub.endpoint.endpoints import as_png, encoded, started
from tests.hub_server import HubServer, Repository, StoredFile
from tests.pipelines.searches import COUNT, embedded_gallery
from tests.tiny_attribute import tiny_asen, tiny_image_processor, tiny_photos
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning


PHOTO = tiny_images(1)[0]
LABELS = ["dress", "coat", "shoes"]
MB = 2**20


@pytest.fixture(scope="module")
def e2(tmp_path_factory):
    """An endpoint of an E2 without hf_fashion."""
    work = tmp_path_factory.mktemp("e2")
    tiny_model().save_pretrained(work / "repository")
    tiny_processor().save_pretrained(work / "repository")
    write_endpoint(work / "repository")
    with started(work / "repository", work) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def asen(tmp_path_factory):
    """An endpoint that searches a gallery of the Hub and re-ranks by FR, and the pipeline that it equals."""
    work = tmp_path_factory.mktemp("asen")
    model, processor = tiny_asen(), tiny_image_processor()
    for part in (model, processor):
        part.save_pretrained(work / "repository")
    tiny_feature_reasoning().save_pretrained(work / "fr")
    embedded_gallery(work / "gallery", model, processor).save_pretrained(work / "saved")
    write_endpoint(work / "repository", "tester/gallery", work / "fr")
    options = {"gallery": str(work / "gallery"), "reranker": str(work / "fr"), "device": "cpu"}
    search = pipeline("fashion-retrieval", model=model, processor=processor, **options)
    with HubServer() as hub:
        hub.repositories["dataset", "tester/gallery"] = repository(work / "saved")
        with started(work / "repository", work, REPOSITORY, hub.environment()) as endpoint:
            yield endpoint, search


def repository(folder: Path) -> Repository:
    """A repository with the files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    pushed = Repository()
    pushed.commit({str(path.relative_to(folder)): StoredFile(path.read_bytes(), True) for path in files}, "main")
    return pushed


def test_e2_classifies_as_the_widget_does(e2):
    classify = pipeline("zero-shot-image-classification", model=tiny_model(), **parts())
    expected = classify(PHOTO, candidate_labels=LABELS)
    for inputs in (encoded(PHOTO), {"image": f"data:image/png;base64,{encoded(PHOTO)}"}):
        status, found = e2.ask(inputs, candidate_labels=LABELS)
        assert status == 200
        assert [one["label"] for one in found] == [one["label"] for one in expected]
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], abs=1e-5)


def parts() -> dict:
    return {"tokenizer": tiny_processor().tokenizer, "image_processor": tiny_processor().image_processor}


def test_e2_embeds_photos_texts_and_weighted_terms(e2):
    encoder = Encoder(tiny_model(), tiny_processor())
    query = {"image": PHOTO, "terms": {"in blue": 0.5, "buttons": -0.25}, "image_weight": 2}
    expected = torch.tensor(encoder.encode_query([PHOTO, "a red dress", query]))
    status, found = e2.ask([encoded(PHOTO), "a red dress", query | {"image": encoded(PHOTO)}])
    assert status == 200
    torch.testing.assert_close(torch.tensor(found), expected, rtol=0, atol=1e-5)
    status, found = e2.send(as_png(PHOTO), "image/png")
    assert status == 200
    torch.testing.assert_close(torch.tensor(found), expected[0], rtol=0, atol=1e-5)


def test_many_at_once_get_their_own_answers(e2):
    texts = [f"a dress {number}" for number in range(8)]
    expected = [e2.ask(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(e2.ask, texts)) == expected


def test_a_search_by_attribute_is_filtered_and_re_ranked(asen):
    endpoint, search = asen
    for photo in tiny_photos(3)[:2]:
        options = {"attribute": "pattern", "filter": {"price": {"<": 20}}, "top_k": 4}
        expected = search({"image": photo}, **options)
        status, found = endpoint.ask({"image": encoded(photo)}, **options)
        assert status == 200
        assert [one | {"score": 0} for one in found] == [one | {"score": 0} for one in expected]
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], abs=2e-6)
    body = as_png(tiny_photos()[0]), "image/png", "/?attribute=neckline&top_k=2"
    assert [one["id"] for one in endpoint.send(*body)[1]] == [
        one["id"] for one in search({"image": tiny_photos()[0], "attribute": "neckline"}, top_k=2)
    ]
    photo = {"image": encoded(tiny_photos()[0]), "attribute": "neckline"}
    status, found = endpoint.ask([photo, photo], top_k=1)
    assert status == 200 and found[0] == found[1]


@pytest.mark.parametrize(
    ("inputs", "parameters", "sentence"),
    [
        ("a red dress", {"attribute": "pattern"}, "AsenModel reads no text"),
        (None, {"top_k": 3}, "AsenModel compares photos in one attribute: give the query, the call"),
        (None, {"attribute": "colour"}, "unknown `attribute` 'colour'"),
        (None, {"attribute": "pattern", "top_k": COUNT + 1}, "`top_k` must be from 1 to 24, the products"),
        (None, {"attribute": "pattern", "filter": "price < 1; DROP TABLE gallery"}, "filter"),
        (None, {"attribute": "pattern", "filter": "no_column = 1"}, "no_column"),
        (None, {"attribute": "pattern", "filter": {"price": {"$where": "1"}}}, "$where"),
        (None, {"attribute": "pattern", "threshold": float("nan")}, "`threshold` must be a number, got nan"),
        (None, {"attribute": "pattern", "group_by": "sizes"}, "`group_by` must be a metadata column"),
        (None, {"attribute": "pattern", "candidate_labels": ["a"]}, "`attribute` and `candidate_labels` do not go"),
    ],
)
def test_a_search_that_cannot_be_answered_says_why(inputs, parameters, sentence, asen):
    status, answer = asen[0].ask(inputs or encoded(tiny_photos()[0]), **parameters)
    assert status == 400 and sentence in answer["error"]


def test_nothing_is_fetched_and_no_file_is_opened(e2, tmp_path):
    PHOTO.save(tmp_path / "photo.png")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"127.0.0.1:{server.getsockname()[1]}/photo.png"
        names = [f"http://{address}", f"https://{address}", f"HTTP://{address}", f"ftp://{address}", f"//{address}"]
        names += [str(tmp_path / "photo.png"), f"file://{tmp_path}/photo.png", "../photo.png", "/etc/passwd.png"]
        for name in names:
            for inputs in ({"image": name}, name, [{"image": name}], {"image": name, "text": "a dress"}):
                status, answer = e2.ask(inputs)
                assert status == 400 and "not read from" in answer["error"], (inputs, answer)
        stored = {"bytes": None, "path": str(tmp_path / "photo.png")}
        assert e2.ask({"image": stored})[0] == e2.ask(stored)[0] == 400
        with pytest.raises(BlockingIOError):  # nobody has connected
            server.accept()


def bomb(side: int) -> bytes:
    """A PNG of a few hundred KB with `side` x `side` black pixels of one bit."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    deflate = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(deflate.compress(row * 1000) for _ in range(side // 1000)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bombs_and_large_bodies_are_refused_in_bounded_memory(e2):
    e2.ask("a dress")
    before = e2.peak_mb()
    for side, said in ((30_000, "pixels"), (8_000, "it has 64,000,000 pixels")):
        status, answer = e2.ask({"image": base64.b64encode(bomb(side)).decode()})
        assert status == 400 and said in answer["error"] and "at most 40,000,000 are read" in answer["error"]
        assert e2.send(bomb(30_000), "image/png")[0] == 400
    status, answer = e2.ask({"image": "/9j/" + "A" * (100 * MB)})
    assert status == 400 and "a photo has at most 20 MB" in answer["error"]
    status, answer = e2.ask("a dress " * 100_000)
    assert status == 400 and "a text has at most 10,000 characters, got 800,000" in answer["error"]
    assert e2.ask("a dress")[0] == 200
    assert e2.peak_mb() - before < 700  # the body of 100 MB, its text, the text of the JSON


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}", ""),
        (b'{"inputs": ' + b'{"text":' * 400 + b"1" + b"}" * 400 + b"}", "`text` must be a string"),
        (b'{"inputs": {"a dress": NaN}}', "the weight of 'a dress' must be a finite number"),
        (b'{"inputs": {"a dress": 1e999}}', "the weight of 'a dress' must be a finite number"),
        (b'{"inputs": {"text": "a", "image_weight": "1"}}', "must be a finite number, at most 3.4e38, got '1'"),
        (b'{"inputs": {"image": 7}}', "`image` must be a photo in base64, got 7"),
        (b'{"inputs": {"image": "iVBORw0KGgoAAAAA"}}', "the photo in memory cannot be read"),
        (b'{"inputs": {"image": "no base64"}}', "give the photo itself, such as its bytes or base64"),
        (b'{"inputs": {"txt": "a dress"}}', "a query has no 'txt' (did you mean 'text'?)"),
        (b'{"inputs": {"text": "a dress", "top_k": 3}}', "a query has no 'top_k'"),
        (b'{"inputs": []}', "a list of 1 to 16, got 0"),
        (b'{"inputs": 7}', "a query is a photo in base64, a text or a dict, got 7"),
        (b'{"inputs": "a", "parameters": {"top_k": 3}}', "`top_k` is for a search, and this endpoint has no gallery"),
        (
            b'{"inputs": "a", "parameters": {"candidate_labels": ["x"], "hypothesis_template": "{0.__class__}"}}',
            "once",
        ),
        (b'{"inputs": "a", "parameters": {"candidate_labels": [], "top_k": 3}}', "a list of 1 to 256 texts"),
        (b'{"inputs": "\\ud800 dress"}', "character"),
        (b"not JSON", ""),
    ],
)
def test_a_bad_request_is_answered_with_a_sentence(body, sentence, e2):
    status, answer = e2.send(body)
    assert status == 400 and sentence in answer["error"]
    assert "Traceback" not in answer["error"] and "\n" not in answer["error"].strip()
    assert e2.ask("a dress")[0] == 200
