"""The quickstart's parts: what goes on and what starts anew, a failure that is shown, the evaluation and its page."""

import importlib
import json

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.models.e2.processing_e2 import E2Processor
from tests.tiny_e2 import tiny_image_processor, tiny_model, tiny_tokenizer


ENTITIES = ["article_type", "brand", "season", "colour"]


@pytest.fixture
def quickstart(monkeypatch, tmp_path):
    module = importlib.import_module("training.quickstart")
    monkeypatch.chdir(tmp_path)
    return module


@pytest.fixture
def recipes(quickstart):
    return quickstart.read_recipes()


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


def test_a_stopped_run_goes_on_and_a_finished_one_starts_anew(quickstart, recipes):
    checkpoint = quickstart.FOLDER / "e2" / "checkpoints" / "update-00000001"
    note = quickstart.start_or_go_on(recipes)
    checkpoint.mkdir(parents=True)
    quickstart.start_or_go_on(recipes)
    assert checkpoint.is_dir(), "the same recipes go on"
    recipes["E2"].training.seed += 1
    quickstart.start_or_go_on(recipes)
    assert not checkpoint.exists(), "other recipes start anew"
    checkpoint.mkdir(parents=True)
    note.unlink()
    quickstart.start_or_go_on(recipes)
    assert not checkpoint.exists(), "after a finished run all starts anew"
    assert json.loads(note.read_text())["E2"]["training"]["seed"] == recipes["E2"].training.seed


def test_lines_of_the_training_are_passed_on_and_a_failure_is_shown(
    quickstart, recipes, tmp_path, monkeypatch, capsys
):
    script = tmp_path / "train_e2.py"
    script.write_text("import sys\nprint('epoch 1', sys.argv[1:], flush=True)\nsys.exit('out of disk')\n")
    monkeypatch.setattr(quickstart, "SCRIPTS", tmp_path)
    with pytest.raises(RuntimeError, match=r"(?s)E2: training failed.*out of disk"):
        quickstart.train("E2", recipes["E2"])
    arguments = [
        str(quickstart.PATHS["E2"]),
        "--output_dir",
        "runs/quickstart/e2",
        "--resume_from_checkpoint",
        "latest",
    ]
    assert f"E2: epoch 1 {arguments}" in capsys.readouterr().out
    assert (tmp_path / "runs/quickstart/e2/training.log").read_text() == "out of disk\n"


def test_results_become_tables_sentences_and_pictures(quickstart):
    model = tiny_model(tag_entities=ENTITIES)
    processor = E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES)
    split = make_generated_corpus(train_rows=1, validation_rows=24, image_size=32)["validation"]
    column_map = ColumnMap.shipped("generated")
    images = embed_images(model, processor, split, progress=False)
    results = quickstart.evaluate(model, processor, split, column_map, images)
    both = {"E2": results, "CLIP-FT": {name: part for name, part in results.items() if name != "localisation"}}

    tables = quickstart.compare(both, ENTITIES)
    assert [len(rows) for _, rows in tables.values()] == [6, 4, 8]
    findings = " ".join(quickstart.summarise(both))
    brand = results["localisation"]
    for layer in (1, 2):
        assert f"after layer {layer} {100 * brand[f'brand_layer_{layer}_centre_inside']:.1f} %" in findings
    assert f"chance {100 * brand['brand_layer_1_centre_inside_chance']:.1f} %" in findings
    sections = dict(quickstart.show(model, processor, split, column_map, images))
    assert len(sections) == 2 + len(ENTITIES) + 1
    queries = len(quickstart.EXAMPLES)
    assert sections["Photos for a title"].count("<img") == 5 * queries
    assert sections["Where the tokens of each tag look"].count("<img") == queries
