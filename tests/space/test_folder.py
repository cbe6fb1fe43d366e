"""The folder is a Space of the Hub: front matter, pins, and a start that says what is missing."""

import os
import re
import subprocess
import sys
import tomllib

import yaml
from huggingface_hub import SpaceCard

from tests.repo.tree import REPOSITORY
from tests.space.space_folder import SPACE


LOCK = dict(re.findall(r"^(\S+)==(\S+)$", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE))
PINS = dict(re.findall(r"^(\S+)==(\S+)$", (SPACE / "requirements.txt").read_text(), re.MULTILINE))


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


def test_without_a_quickstart_the_start_says_so(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FASHION_")}
    environment |= {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(SPACE / "app.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith("The demo cannot start: there is no runs/quickstart/e2/best: run `make quickstart` first")
    )
    assert "Traceback" not in done.stderr
