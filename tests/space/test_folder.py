"""The folder is a Space of the Hub: front matter, pins, and a start that says what is missing."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import tomllib

import httpx
import pytest
import yaml
from gradio_client import Client
from huggingface_hub import SpaceCard

from tests.repo.tree import REPOSITORY
from tests.space.space_folder import SPACE


LOCK = dict(re.findall(r"^(\S+)==(\S+)$", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE))
PINS = dict(re.findall(r"^(\S+)==(\S+)$", (SPACE / "requirements.txt").read_text(), re.MULTILINE))


COMMAND = [sys.executable, str(SPACE / "app.py")]
PATIENCE = 240  # seconds until the page is there, on a busy machine


def environment(**more: str) -> dict[str, str]:
    """The environment without settings of the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FASHION_")}
    return kept | {"PYTHONPATH": str(REPOSITORY)} | more


def client_of(url: str, process: subprocess.Popen) -> Client:
    """A client of the page, once it is served."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError, ValueError):
            return Client(url, verbose=False)
        time.sleep(0.5)
    raise TimeoutError("the page was not served")


def bare(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0].lower().replace("-", "_")


def test_pins_are_those_of_the_lock():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert PINS.pop("hf-fashion") == project["version"]
    assert {name: LOCK.get(name) for name in PINS} == PINS
    needed = {*project["dependencies"], *project["optional-dependencies"]["gallery"], "pyarrow"}
    assert {bare(name) for name in PINS} >= {bare(name) for name in needed}


def test_front_matter_is_that_of_a_gradio_space():
    card = SpaceCard.load(SPACE / "README.md")
    assert card.data.sdk == "gradio" and card.data.sdk_version == LOCK["gradio"]
    assert (SPACE / card.data.app_file).is_file()
    front_matter = yaml.safe_load((SPACE / "README.md").read_text().split("---")[1])
    assert {"models", "datasets", "license", "title", "python_version"} <= set(front_matter)


def test_it_starts_on_the_models_of_the_quickstart(settings, tmp_path):
    """As `make space` starts it: the photos are embedded first, the API answers, the log has no traceback."""
    quickstart = tmp_path / "runs" / "quickstart"
    for name, source in (("e2", settings.e2), ("ipad", settings.attributes), ("fr", settings.reranker)):
        (quickstart / name).mkdir(parents=True)
        (quickstart / name / "best").symlink_to(source)
    (quickstart / "photos").symlink_to(settings.photos)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path), "GRADIO_ANALYTICS_ENABLED": "False"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(COMMAND, cwd=tmp_path, env=environment(**given), stdout=log, stderr=log)
    try:
        about = client_of(f"http://127.0.0.1:{port}/", process).predict(api_name="/about")
    finally:
        process.terminate()
        process.wait(60)
    assert about["statement"].startswith("24 products, searched by E2 (quickstart/e2/best) and IPAD")
    assert len(list((quickstart / "galleries").iterdir())) == 2
    assert about["statement"] in (tmp_path / "log").read_text() and "Traceback" not in (tmp_path / "log").read_text()


def test_without_a_quickstart_the_start_says_so(tmp_path, monkeypatch):
    from app import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"cannot start: there is no runs/quickstart/e2/best: run `make quickstart`"):
        main()
