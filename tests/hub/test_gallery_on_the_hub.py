"""Galleries are pushed to a Hub as one commit, and loaded from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub_server import HubServer
from tests.retrieval.galleries import ids


KEY = ("dataset", "tester/catalogue")
SHARDS = [f"data/train-0000{number}-of-00003.parquet" for number in range(3)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> dict:
    """Return the results of `share_gallery.py`, its output and the Hub's commits."""
    work = tmp_path_factory.mktemp("work")
    script = str(Path(__file__).with_name("share_gallery.py"))
    with HubServer() as hub:
        environment = {**os.environ, **hub.environment(), "HF_HOME": str(work / "home")}
        result = subprocess.run(
            [sys.executable, script, str(work)], env=environment, cwd=work, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        found = json.loads((work / "results.json").read_text())
        return {**found, "said": result.stdout + result.stderr, "commits": hub.repositories[KEY].commits}


def test_a_push_is_one_commit(shared):
    assert list(shared["commits"]).index(shared["pushed"]) == 1  # after the empty one of a new repository
    assert shared["files"] == ["README.md", *SHARDS, "gallery.json"]
    assert list(shared["commits"]).index(shared["winter"]) == 4  # after the card and the script


def test_a_gallery_that_is_pushed_again_takes_the_place_of_the_old_one(shared):
    assert shared["files after"] == ["README.md", "data/train-00000-of-00001.parquet", "gallery.json", "search.py"]
    assert shared["draft"] == shared["files after"]


def test_the_pipeline_opens_it_by_its_id_from_one_place_in_the_cache(shared):
    found, place, again = shared["by id"]
    assert found == ids(9) and place == again and "/hf_fashion/galleries/tester--catalogue/" in place
    assert shared["said"].count("loading the gallery tester/catalogue into") == 1


def test_what_people_wrote_on_the_card_stays(shared):
    card = shared["card"]
    assert card.index("Our autumn catalogue.") < card.index("| products | 9 |") < card.index("Ask Ada.")
    assert "license: mit" in card and "products | 23" not in card and card.count("```python") == 2


def test_every_revision_can_be_loaded(shared):
    assert shared["whole"] == shared["autumn"] == ids(23)
    assert shared["newest"] == shared["datasets"] == ids(9)


def test_nothing_but_the_files_of_the_gallery_is_downloaded(shared):
    assert shared["downloaded code"] == []


def test_the_token_is_not_said(shared):
    assert "hf_x" not in shared["said"]


def test_what_is_no_gallery_is_refused(shared):
    assert shared["push onto photos"].startswith(
        "ValueError: the dataset tester/photos is not a gallery and has files of its own, such as 'a.csv'"
    )
    assert shared["photos"].startswith("FileNotFoundError: the dataset tester/photos has no gallery.json")
    assert (
        "must be the folder of a saved gallery or the id of one on the Hub, got 'tester/nowhere'" in shared["nowhere"]
    )
