"""`hf-fashion evaluate`: the evaluation of the model's kind."""

import json

import pytest

from hf_fashion.cli.main import main
from tests.cli.commands import process
from tests.evaluation.saved_models import save_asen, save_corpus, save_e2


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    save_e2(folder / "e2")
    save_asen(folder / "asen")
    save_corpus(folder / "corpus")
    return folder


def flags(folder, model, *more: str) -> list[str]:
    places = ["--model", str(folder / model), "--corpus", str(folder / "corpus"), "--column_map", "generated"]
    return ["evaluate", *places, "--device", "cpu", *more]


def test_e2_finds_photos_by_text(saved, tmp_path):
    evaluated = process(*flags(saved, "e2", "--output", str(tmp_path / "results.json")))
    assert evaluated.returncode == 0, evaluated.stderr
    assert "image to text" in evaluated.stdout
    assert "text_to_image_recall@1" in json.loads((tmp_path / "results.json").read_text())["cross_modal"]


def test_attribute_models_find_photos_by_attribute(saved, tmp_path, capsys):
    assert main(flags(saved, "asen", "--attributes", "hem", "--output", str(tmp_path / "results.json"))) == 0
    assert "search by attribute" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["attributes"] == ["hem"]


def test_a_folder_as_output_is_refused_at_once(saved, tmp_path, capsys):
    assert main(flags(saved, "e2", "--output", str(tmp_path))) == 2
    assert f"--output {tmp_path} is a folder: name the file to write" in capsys.readouterr().err


@pytest.mark.parametrize(("model", "option"), [("e2", ["--attributes", "hem"]), ("asen", ["--tags"])])
def test_options_of_the_other_kind_are_refused(saved, capsys, model, option):
    assert main(flags(saved, model, *option)) == 2
    assert f"`{option[0][2:]}` is for another kind of models" in capsys.readouterr().err


def test_a_re_ranker_has_no_evaluation_of_its_own(folder, capsys):
    assert main(["evaluate", "--model", str(folder / "fr"), "--corpus", "generated"]) == 2
    assert "is a 'feature_reasoning'" in capsys.readouterr().err
