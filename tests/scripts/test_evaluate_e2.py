"""The evaluation script on saved models and a saved corpus."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from hf_fashion.models.e2.modeling_e2 import E2Model
from tests.conftest import REPOSITORY
from tests.evaluation.saved_models import ENTITIES, save_corpus, save_e2
from tests.evaluation.single_split import save_single_split


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
    save_e2(folder / "model")
    save_corpus(folder / "corpus", train_rows=120)
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
    assert "brand_layer_1_centre_inside_chance" in results["localisation"]
    printed = capsys.readouterr().out
    for title in ("image to text", "Tags, zero-shot", "Linear probe", "Selected patches"):
        assert title in printed


def test_results_of_descriptions_are_re_ranked(script, saved, tmp_path, capsys, monkeypatch):
    names = ["query_expansion", "k_reciprocal"]
    output, embedded, embed = tmp_path / "results.json", [], E2Model.get_text_features

    def counted(model, **texts):
        embedded.append(len(texts["input_ids"]))
        return embed(model, **texts)

    monkeypatch.setattr(E2Model, "get_text_features", counted)
    script.main(flags(saved, "--column_map", "generated", "--rerankers", *names, "--output", str(output)))
    results = json.loads(output.read_text())
    assert embedded == [1, results["cross_modal"]["num_texts"]]  # a text when the model is loaded, then all once
    assert list(results["reranking"]) == names
    before = {metrics["initial_map"] for metrics in results["reranking"].values()}
    # Of one right photo a query, AP is 1 / rank, so MAP is from recall@1 to 1.
    assert len(before) == 1 and results["cross_modal"]["text_to_image_recall@1"] <= before.pop() <= 1
    assert "Re-ranking of the first photos" in capsys.readouterr().out


def test_sample100_of_a_yaml_map(script, saved, tmp_path):
    path, output = tmp_path / "map.yaml", tmp_path / "results.json"
    path.write_text("caption: caption\n")
    sample = ["--protocol", "sample100", "--group_column", "season"]
    script.main(flags(saved, "--column_map", str(path), *sample, "--output", str(output)))
    results = json.loads(output.read_text())
    assert results["cross_modal"]["protocol"] == "sample100"
    assert "tags" not in results and results["entities"] == []


def test_mistakes_are_named(script, saved):
    with pytest.raises(ValueError, match="name one with `column_map`"):
        script.main(flags(saved))
    with pytest.raises(ValueError, match=r"no split 'test' in .*, there are train, validation"):
        script.main(flags(saved, "--column_map", "generated", "--split", "test"))


def test_skipped_rows_are_in_the_results_and_an_error_names_them(script, saved, tmp_path):
    path, expected = save_single_split(tmp_path)
    output = tmp_path / "results.json"
    single = flags(saved, "--corpus", str(path), "--column_map", "generated", "--validation_fraction", "0.5")
    script.main([*single, "--on_bad_image", "skip", "--output", str(output)])
    results = json.loads(output.read_text())
    assert (results["split"], results["skipped_rows"]) == ("validation", 2)
    assert results["cross_modal"]["num_images"] <= len(expected)
    with pytest.raises(ValueError, match=r"validation: 2 unreadable images.*\n    data\[0\] \(id"):
        script.main(single)
