"""The quickstart's parts: what continues and what restarts, a failure that is shown, the evaluation and its page."""

import importlib
import json
import threading
import time

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.retrieval.ingestion.load_catalogue import load_catalogue
from tests.evaluation.saved_models import save_e2
from tests.tiny_attribute import tiny_image_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning
from tests.tiny_ipad import tiny_ipad


@pytest.fixture
def quickstart(monkeypatch, tmp_path):
    module = importlib.import_module("training.quickstart")
    monkeypatch.chdir(tmp_path)
    return module


@pytest.fixture
def recipes(quickstart):
    return quickstart.read_recipes(quickstart.FOLDER, seed=0)


def test_e2_and_clip_get_the_same_data_steps_and_size(quickstart, recipes):
    e2, clip = (recipes[name].to_dict() for name in quickstart.WITH_TEXT)
    assert (e2["model"].pop("architecture"), clip["model"].pop("architecture")) == ("e2", "clip")
    assert e2["training"].pop("output_dir") != clip["training"].pop("output_dir")
    for name in set(e2["model"]["config"]) - set(clip["model"]["config"]):
        del e2["model"]["config"][name]
    new = {"tokens_per_entity", "fusion_layers", "selection_temperature", "drop_patch_tokens"}
    vision = e2["model"]["config"]["vision_config"]
    e2["model"]["config"]["vision_config"] = {name: value for name, value in vision.items() if name not in new}
    assert e2 == clip


def test_a_stopped_run_continues_and_a_finished_one_restarts(quickstart, recipes):
    checkpoint = quickstart.FOLDER / "e2" / "checkpoints" / "update-00000001"
    note = quickstart.resume_or_restart(quickstart.FOLDER, recipes)
    checkpoint.mkdir(parents=True)
    quickstart.resume_or_restart(quickstart.FOLDER, recipes)
    assert checkpoint.is_dir(), "the same recipes continue"
    recipes["E2"].training.seed += 1
    quickstart.resume_or_restart(quickstart.FOLDER, recipes)
    assert not checkpoint.exists(), "other recipes restart"
    checkpoint.mkdir(parents=True)
    note.unlink()
    (quickstart.FOLDER / "results.json").write_text('{"seconds": 1, "models": {}, "recipes": {}}')
    quickstart.resume_or_restart(quickstart.FOLDER, recipes)
    assert not checkpoint.exists(), "after a finished run everything restarts"
    assert json.loads(note.read_text())["E2"]["training"]["seed"] == recipes["E2"].training.seed


@pytest.mark.parametrize("name", ["e2/best/model.safetensors", "photos/my_dress.jpg", "results.json"])
def test_what_no_quickstart_has_written_stays(quickstart, recipes, name):
    own = quickstart.FOLDER / name
    own.parent.mkdir(parents=True)
    own.write_text('{"recipe": {}}')
    with pytest.raises(
        ValueError, match=r"`--output` is 'runs/quickstart', where no quickstart has run, and .* there"
    ):
        quickstart.resume_or_restart(quickstart.FOLDER, recipes)
    assert own.read_text() == '{"recipe": {}}' and not (quickstart.FOLDER / "in_work.json").exists()


def test_lines_of_the_training_are_passed_on_and_a_failure_is_shown(
    quickstart, recipes, tmp_path, monkeypatch, capsys
):
    script = tmp_path / "train_e2.py"
    script.write_text("import sys\nprint('epoch 1', sys.argv[1:], flush=True)\nsys.exit('out of disk')\n")
    monkeypatch.setattr(quickstart, "SCRIPTS", tmp_path)
    with pytest.raises(ChildProcessError, match=r"(?s)E2: training failed.*out of disk"):
        quickstart.train("E2", recipes["E2"])
    arguments = [
        str(quickstart.PATHS["E2"]),
        "--output_dir",
        "runs/quickstart/e2",
        "--resume_from_checkpoint",
        "latest",
        "--set",
        "training.seed=0",
    ]
    assert f"E2: epoch 1 {arguments}" in capsys.readouterr().out
    assert (tmp_path / "runs/quickstart/e2/training.log").read_text() == "out of disk\n"


def test_fr_trains_once_ipad_is_there_next_to_what_is_left(quickstart, recipes, monkeypatch):
    """CLIP-FT waits here for FR to begin, which would not happen if FR came after all others."""
    order, fr_begins = [], threading.Event()

    def train(name: str, recipe) -> None:
        if name == "FR":
            fr_begins.set()
        if name == "CLIP-FT":
            assert fr_begins.wait(10)
        order.append(name)

    monkeypatch.setattr(quickstart, "train", train)
    monkeypatch.setattr(quickstart, "num_workers", lambda: 2)
    quickstart.train_all(recipes)
    assert order.index("IPAD") < order.index("FR") < order.index("CLIP-FT") and len(order) == 4


@pytest.mark.parametrize("failing", ["IPAD", "E2"])
def test_after_a_failed_training_those_that_wait_do_not_begin(quickstart, recipes, monkeypatch, failing):
    begun = []

    def train(name: str, recipe) -> None:
        begun.append(name)
        if name == failing:
            raise ChildProcessError(f"{name}: training failed")
        time.sleep(0.2)

    monkeypatch.setattr(quickstart, "train", train)
    monkeypatch.setattr(quickstart, "num_workers", lambda: 1)
    with pytest.raises(ChildProcessError, match=f"{failing}: training failed"):
        quickstart.train_all(recipes)
    assert begun[0] == "IPAD" and "FR" not in begun


def test_only_a_model_with_regions_is_localised(quickstart, e2, clip, processor, corpus, column_map):
    split = corpus["validation"]
    for model, parts in ((e2, {"localisation"}), (clip, set())):
        images = embed_images(model, processor, split, progress=False)
        results = quickstart.evaluate_e2(model, processor, split, column_map, images)
        assert set(results) == {"parameters", "cross_modal", "tags"} | parts
        assert results["cross_modal"] == evaluate_cross_modal(model, processor, split, column_map, progress=False)


def test_saved_models_become_results_and_a_report(quickstart, recipes, tmp_path, monkeypatch, capsys):
    """All but the training, with tiny models in the folders of the best ones."""
    recipes["E2"].data.generated |= {"validation_rows": 40, "image_size": 32}
    monkeypatch.setattr(quickstart, "read_recipes", lambda folder, seed: recipes)
    monkeypatch.setattr(quickstart, "train_all", lambda recipes: None)
    quickstart.resume_or_restart(quickstart.FOLDER, recipes)  # so that main keeps these folders
    names = list(ColumnMap.shipped("generated").attributes)
    for name in quickstart.WITH_TEXT:
        save_e2(quickstart.best(recipes[name]))
    tiny_ipad(attribute_names=names, attribute_values={}).save_pretrained(quickstart.best(recipes["IPAD"]))
    tiny_image_processor().save_pretrained(quickstart.best(recipes["IPAD"]))
    tiny_feature_reasoning().save_pretrained(quickstart.best(recipes["FR"]))
    quickstart.main()

    results = json.loads((quickstart.FOLDER / "results.json").read_text())
    assert list(results["models"]) == list(results["recipes"]) == ["E2", "CLIP-FT", "IPAD", "FR"]
    assert set(results["models"]["IPAD"]) == {"parameters", "retrieval", "pointing"}
    assert list(results["models"]["FR"]) == ["FR", "query_expansion", "k_reciprocal"]
    catalogue = load_catalogue(quickstart.FOLDER / "photos")["dataset"]
    assert len(catalogue) == 40 and "dress-1.jpg" in catalogue["file_name"][:]
    assert {"title", *quickstart.PHOTO_COLUMNS} < set(catalogue.column_names)
    printed, page = capsys.readouterr().out, (quickstart.FOLDER / "report.html").read_text()
    for title in ("Search among the validation photos", "IPAD: search by one attribute", "results re-ranked"):
        assert title in printed and title in page
    for heading in ("Photos for a title", "Where IPAD looks", f"Re-ranking of photos with the same {names[0]}"):
        assert f"<h2>{heading}</h2>" in page
    assert not (quickstart.FOLDER / "in_work.json").exists()
