"""The evaluation script of attribute-specific models on saved models and a saved corpus."""

import json
from importlib import import_module

import pytest

from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.training.attribute.build import square_processor
from tests.scripts.tiny_attribute_run import LOCAL, SIZES


NAMES = ["sleeve", "pattern", "neckline"]  # the corpus has `hem` too


@pytest.fixture
def script():
    return import_module("training.evaluate_attribute_model")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    processor = square_processor(32)
    for name, fields in (("asen", LOCAL), ("csn", {"head": "csn"})):
        AsenModel(AsenConfig(attribute_names=NAMES, **SIZES | fields)).save_pretrained(folder / name)
        processor.do_source = name == "asen"
        processor.save_pretrained(folder / name)
    make_generated_corpus(train_rows=8, validation_rows=30, image_size=48).save_to_disk(folder / "corpus")
    return folder


def flags(folder, *more: str, model="asen") -> list[str]:
    places = ["--model", str(folder / model), "--corpus", str(folder / "corpus"), "--column_map", "generated"]
    return [*places, "--device", "cpu", *more]


def evaluated(script, folder, tmp_path, *more, model="asen"):
    script.main(flags(folder, *more, "--output", str(tmp_path / "results.json"), model=model))
    return json.loads((tmp_path / "results.json").read_text())


def test_everything_is_printed_and_written(script, saved, tmp_path, capsys):
    results = evaluated(script, saved, tmp_path, "--pointing")
    assert results["attributes"] == NAMES, "those that the model and the map have, in the model's order"
    retrieval = results["retrieval"]
    assert retrieval["num_queries"] == sum(retrieval[f"{name}_num_queries"] for name in NAMES)
    assert 0 < retrieval["map"] <= 1 and 0 < retrieval["map_chance"] < 1
    assert 0 <= results["pointing"]["pointing_accuracy"] <= results["pointing"]["pointing_accuracy_ceiling"] <= 1
    printed = capsys.readouterr().out
    for part in ("search by attribute", "neckline", "all queries", "mean of attributes", "Peak of the attention"):
        assert part in printed


def test_with_all_folds_every_photo_is_a_query(script, saved, tmp_path):
    one = evaluated(script, saved, tmp_path, "--attributes", "sleeve", model="csn")
    five = evaluated(script, saved, tmp_path, "--attributes", "sleeve", "--all_folds", model="csn")
    assert one["attributes"] == five["attributes"] == ["sleeve"]
    labelled = five["retrieval"]["num_queries"]
    assert one["retrieval"]["num_queries"] in (labelled // 5, labelled // 5 + 1)
    assert one["retrieval"]["sleeve_num_candidates"] + one["retrieval"]["num_queries"] == labelled


def test_published_lists_count_the_attributes_of_the_map(script, saved, tmp_path):
    """The map's order is pattern, sleeve, neckline, hem: attribute 1 is `sleeve`."""
    (tmp_path / "query.txt").write_text("0 1 0\n1 1 1\n")
    (tmp_path / "candidate.txt").write_text("2 1 0\n3 1 1\n4 1 0\n")
    lists = ["--queries", str(tmp_path / "query.txt"), "--candidates", str(tmp_path / "candidate.txt")]
    retrieval = evaluated(script, saved, tmp_path, *lists)["retrieval"]
    assert (retrieval["num_queries"], retrieval["sleeve_num_candidates"]) == (2, 3)
    assert "pattern_map" not in retrieval


def test_mistakes_are_named(script, saved):
    with pytest.raises(ValueError, match="returns none"):
        script.main(flags(saved, "--pointing", model="csn"))
    with pytest.raises(ValueError, match=r"'sleeves'.*sleeve"):
        script.main(flags(saved, "--attributes", "sleeves"))
    with pytest.raises(ValueError, match="no split 'test'"):
        script.main(flags(saved, "--split", "test"))
    with pytest.raises(ValueError, match="go together"):
        script.main(flags(saved, "--queries", "query.txt"))


def test_re_rankers_are_compared(script, saved, tmp_path, capsys):
    fr = FeatureReasoningModel(FeatureReasoningConfig(num_candidates=9, hidden_size=8))
    fr.save_pretrained(tmp_path / "fr")
    names = [str(tmp_path / "fr"), "query_expansion", "k_reciprocal"]
    results = evaluated(script, saved, tmp_path, "--rerankers", *names, "--num_candidates", "5", model="csn")
    assert list(results["reranking"]) == names
    for metrics in results["reranking"].values():
        assert metrics["initial_map"] == pytest.approx(results["retrieval"]["map"])
    assert results["reranking"][names[0]]["share_better"] == 0, "a new FR changes nothing"
    assert results["reranking"]["query_expansion"]["share_better"] > 0
    assert "Re-ranking of the first candidates" in capsys.readouterr().out
