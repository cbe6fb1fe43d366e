"""The evaluation script on saved models and a saved corpus."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.models.e2.processing_e2 import E2Processor
from tests.conftest import REPOSITORY
from tests.tiny_e2 import tiny_image_processor, tiny_model, tiny_tokenizer


ENTITIES = ["article_type", "brand", "season", "colour"]


@pytest.fixture(scope="module")
def script():
    spec = spec_from_file_location("evaluate_e2", REPOSITORY / "training" / "evaluate_e2.py")
    module = module_from_spec(spec)
    sys.modules["evaluate_e2"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["evaluate_e2"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    tiny_model(tag_entities=ENTITIES).save_pretrained(folder / "model")
    E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES).save_pretrained(folder / "model")
    make_generated_corpus(train_rows=120, validation_rows=24, image_size=32).save_to_disk(folder / "corpus")
    return folder


def flags(folder, *more: str) -> list[str]:
    return ["--model", str(folder / "model"), "--corpus", str(folder / "corpus"), "--device", "cpu", *more]


def test_everything_is_printed_and_written(script, saved, capsys):
    output = saved / "results.json"
    parts = ["--tags", "--linear_probe", "--localisation"]
    script.main(flags(saved, "--column_map", "generated", *parts, "--output", str(output)))
    results = json.loads(output.read_text())
    assert results["cross_modal"]["num_images"] <= 24
    assert {f"{entity}_region_accuracy" for entity in ENTITIES} <= set(results["tags"])
    assert {f"{entity}_region_probe_accuracy" for entity in ENTITIES} <= set(results["linear_probe"])
    assert "brand_centre_inside_chance" in results["localisation"]
    printed = capsys.readouterr().out
    for title in ("image to text", "Tags, zero-shot", "Linear probe", "Selected patches"):
        assert title in printed


def test_sample100_of_a_yaml_map(script, saved, tmp_path):
    path, output = tmp_path / "map.yaml", tmp_path / "results.json"
    path.write_text("caption: caption\n")
    sample = ["--protocol", "sample100", "--group_column", "season"]
    script.main(flags(saved, "--column_map", str(path), *sample, "--output", str(output)))
    results = json.loads(output.read_text())
    assert results["cross_modal"]["protocol"] == "sample100"
    assert "tags" not in results and results["entities"] == []


def test_mistakes_are_named(script, saved):
    with pytest.raises(ValueError, match="give --column_map"):
        script.main(flags(saved))
    with pytest.raises(ValueError, match=r"no split 'test' in .*, there are train, validation"):
        script.main(flags(saved, "--column_map", "generated", "--split", "test"))
