"""Programs get what the pipeline gives, many at once, and sentences where they ask for the impossible."""

import io
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx
import pytest
from fashion_space.filters import condition
from fashion_space.page import filled_form, product_or_told
from fashion_space.photo_field import LARGEST_PHOTO
from fashion_space.queries import Form
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.space.space_folder import SPACE
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.tiny_e2 import TAG_ENTITIES


USERS = 20


@pytest.fixture(scope="module")
def client(url) -> Client:
    return Client(url, verbose=False)


def answer_of(url: str, photo: dict) -> str:
    """The server's answer to a search by a photo that is named by hand."""
    call = f"{url}gradio_api/call/search"
    given = [{"meta": {"_type": "gradio.FileData"}, **photo}, "", "", "", "", False, 1, 12, ""]
    event = httpx.post(call, json={"data": given}).json()["event_id"]
    return httpx.get(f"{call}/{event}", timeout=60).text


def same(answer: dict, results: list[dict]) -> bool:
    found = answer["results"]
    close = [one["score"] for one in found] == pytest.approx([one["score"] for one in results], abs=3e-6)
    return close and [one["id"] for one in found] == [one["id"] for one in results]


def test_only_named_calls_are_public(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/search", "/heat_maps", "/about"}
    assert client.view_api(return_format="dict")["unnamed_endpoints"] == {}


def test_answers_are_those_of_the_pipeline(client, shop, catalogue):
    path = catalogue / "p05.png"
    answer = client.predict(photo=handle_file(path), filter="price < 25", top_k=7, api_name="/search")
    direct = shop.whole.plain(path.read_bytes(), top_k=7, filter="price < 25")
    assert same(answer, direct) and answer["model"] == "E2"
    assert [one["metadata"] for one in answer["results"]] == [one["metadata"] for one in direct]
    changed = client.predict(photo=handle_file(path), change="in red", top_k=7, api_name="/search")
    assert same(changed, shop.whole.plain({"image": path.read_bytes(), "change": "in red"}, top_k=7))
    asked = {"photo": handle_file(path), "attribute": ATTRIBUTE_NAMES[0], "rerank": True}
    query = {"image": path.read_bytes(), "attribute": ATTRIBUTE_NAMES[0]}
    assert same(client.predict(**asked, api_name="/search"), shop.by_attribute.reranked(query, top_k=12))


def test_about_and_heat_maps(client, shop):
    about = client.predict(api_name="/about")
    assert about["products"] == 24 and about["attributes"] == ATTRIBUTE_NAMES and about["statement"] == shop.statement
    pictures = client.predict(product_id="p05.png", api_name="/heat_maps")
    assert [picture["caption"] for picture in pictures] == TAG_ENTITIES
    with Image.open(pictures[0]["image"]) as picture, shop.heat_maps("p05.png", "")[TAG_ENTITIES[0]] as expected:
        assert picture.convert("RGB").tobytes() == expected.tobytes()


def test_many_users_at_once_get_their_own_answers(url, shop, catalogue):
    """Each by its own connection; by words, photos and attributes in turn."""

    def ask(user: int) -> bool:
        photo, words = catalogue / f"p{user:02d}.png", f"a dress for user {user}"
        client = Client(url, verbose=False)
        if user % 3 == 0:
            return same(client.predict(words=words, api_name="/search"), shop.search(Form(words=words)).results)
        attribute = ATTRIBUTE_NAMES[0] if user % 3 == 1 else ""
        answer = client.predict(photo=handle_file(photo), attribute=attribute, api_name="/search")
        return same(answer, shop.search(Form(photo.read_bytes(), attribute=attribute)).results)

    with ThreadPoolExecutor(USERS) as pool:
        assert list(pool.map(ask, range(USERS))) == [True] * USERS


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Upload a photo or write some words"),
        ({"words": "red", "filter": "cost < 3"}, "cost"),
        ({"words": "red", "filter": "price < 3; drop table x"}, "filter"),
        ({"words": "a" * 2000}, "1,000 characters"),
        ({"words": "red = 9" + "9" * 60}, "weight"),
        ({"words": "red", "rerank": True}, "FR re-ranks searches by one attribute"),
        ({"words": "red", "attribute": "price"}, "not in the list of choices"),
        ({"words": "red", "top_k": 10_000}, "greater than maximum"),
    ],
)
def test_errors_are_sentences(client, asked, words):
    with pytest.raises(AppError) as error:
        client.predict(**asked, api_name="/search")
    assert words in str(error.value) and "Traceback" not in str(error.value)


def test_the_readmes_lines_run(url, catalogue, tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", (SPACE / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dress.jpg").write_bytes((catalogue / "p01.png").read_bytes())
    names = {}
    exec(block.replace("http://127.0.0.1:7860", url), names)
    assert names["found"]["results"] and len(names["by_neckline"]["results"]) == 12 and names["pictures"]


@pytest.mark.parametrize("top_k", [3, 3.0])
def test_number_of_results(client, top_k):
    assert len(client.predict(words="red", top_k=top_k, api_name="/search")["results"]) == 3


@pytest.mark.parametrize("example", [None, -1, 99, "1", [1], {"a": 1}])
def test_a_browser_may_send_anything(shop, example):
    with pytest.raises(gr.Error, match="no such example"):
        filled_form(shop, ["photo"], example)
    assert 'role="alert"' in product_or_told(shop, str(example), str(example))


def test_an_example_clears_what_was_in_the_form(shop):
    photo, weight, top_k, *filters = filled_form(shop, ["photo", "photo_weight", "top_k"], 3)
    assert (photo.size, weight, top_k) == ((64, 64), 1, gr.skip())
    assert condition(shop.filters, filters) is None and len(filters) == 6


def test_unknown_products_are_sentences(client):
    with pytest.raises(AppError, match="no photo of this product"):
        client.predict(product_id="../p01.png", api_name="/heat_maps")


def test_photos_are_bounded_and_must_be_photos(client, tmp_path, url):
    large, bomb, text = (tmp_path / name for name in ("large.png", "bomb.png", "text.png"))
    for path, side in ((large, 8_000), (bomb, 12_000)):
        Image.new("1", (side, side)).save(path)
    text.write_text("no photo")
    sentences = {large: "it has 64,000,000 pixels", bomb: "too many pixels", text: "no photo that can be opened"}
    for path, words in sentences.items():
        with pytest.raises(AppError, match=words):
            client.predict(photo=handle_file(path), api_name="/search")
    too_large = {"files": io.BytesIO(bytes(LARGEST_PHOTO + 1))}
    assert httpx.post(f"{url}gradio_api/upload", files=too_large, timeout=60).status_code == 413


def test_no_url_is_fetched_and_no_file_opened(url, catalogue):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/photo.png"
        assert "No photo is fetched from a URL" in answer_of(url, {"path": address})
        assert "error" in answer_of(url, {"path": str(catalogue / "p00.png"), "url": address})
        assert "error" in answer_of(url, {"url": address})
        with pytest.raises(TimeoutError):
            listener.accept()
    assert "p00.png" not in answer_of(url, {"path": str(catalogue / "p00.png")}).replace(str(catalogue), "")
