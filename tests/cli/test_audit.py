"""`hf-fashion audit`: a page, JSON and a table."""

import json

import pytest

from hf_fashion.cli.main import main
from tests.audit.planted import planted_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("audit") / "corpus"
    planted_corpus().save_to_disk(folder)
    return str(folder)


def test_faults_are_shown_and_the_command_succeeds(corpus, tmp_path, capsys):
    assert main(["audit", corpus, "--column_map", "generated", "--output", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "| validation with a photo of train" in shown and "audit.html shows the worst" in shown
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["duplicates"]["photos"]
    assert (tmp_path / "out" / "audit.html").read_text().startswith("<!doctype html>")


def test_a_model_judges_one_split(corpus, folder, tmp_path, capsys):
    places = ["--column_map", str(tmp_path / "map.yaml"), "--output", str(tmp_path / "out")]
    places += ["--model", str(folder / "e2")]
    (tmp_path / "map.yaml").write_text("{tags: {brand: brand, season: season}}")
    assert main(["audit", corpus, *places, "--split", "validation", "--device", "cpu"]) == 0
    assert "season: labels that the model does not believe" in capsys.readouterr().out


def test_a_folder_with_other_things_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["audit", "no_corpus", "--output", str(tmp_path)]) == 2
    assert "is not the folder of an audit" in capsys.readouterr().err
