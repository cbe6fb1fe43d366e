"""The demo on tiny models and 24 generated garments, served once, and a browser for it."""

import csv
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import set_seed

from hf_fashion.data.generated.corpus import make_generated_corpus
from tests.space.space_folder import COUNT, HOSTILE, SPACE
from tests.tiny_attribute import tiny_image_processor
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning
from tests.tiny_ipad import tiny_ipad


sys.path.append(str(SPACE))  # as a Space has it

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync")


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory) -> Path:
    """A folder of photos with titles, brands, prices and whether they are new; the last title is hostile."""
    folder = tmp_path_factory.mktemp("catalogue")
    rows = make_generated_corpus(train_rows=1, validation_rows=COUNT, image_size=64)["validation"]
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "title", "brand", "season", "price", "discount"])
        for number, row in enumerate(rows):
            name = f"p{number:02d}.png"
            row["image"].save(folder / name)
            title = HOSTILE if number == COUNT - 1 else row["caption"]
            table.writerow([name, title, row["brand"], row["season"], 10 + number, number / 100])
    return folder


@pytest.fixture(scope="session")
def settings(catalogue, tmp_path_factory):
    """Settings that name a tiny E2, IPAD and FR."""
    from fashion_space.settings import Settings

    folder = tmp_path_factory.mktemp("models")
    for name, model, processor in (
        ("e2", tiny_model(), tiny_processor()),
        ("ipad", tiny_ipad(), tiny_image_processor()),
    ):
        model.save_pretrained(folder / name)
        processor.save_pretrained(folder / name)
    set_seed(0)
    tiny_feature_reasoning(num_candidates=12).save_pretrained(folder / "fr")
    e2, ipad, fr = (str(folder / name) for name in ("e2", "ipad", "fr"))
    return Settings(e2, ipad, fr, photos=str(catalogue), cache=str(folder / "galleries"))


@pytest.fixture(scope="session")
def shop(settings):
    from fashion_space.shop import Shop

    return Shop.open(settings)


@pytest.fixture(scope="module")
def url(shop, tmp_path_factory, monkeypatch_module) -> Iterator[str]:
    """The address of the page."""
    import gradio as gr
    from app import serve

    monkeypatch_module.setattr("PIL.Image.MAX_IMAGE_PIXELS", None)  # the demo sets it: this puts it back
    monkeypatch_module.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch_module.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
    _, address, _ = serve(shop, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield address
    gr.close_all()


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium. Without one the tests are skipped, unless REQUIRE_BROWSER is 1."""
    if CHROMIUM is None:
        tell = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        tell("there is no Chromium: `make browser` installs Debian's, as root")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()
