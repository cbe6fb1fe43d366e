"""`hf-fashion evaluate`: the evaluation of the model's kind."""

import json

import pytest

from hf_fashion.cli.main import main
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.models.e2.processing_e2 import E2Processor
from tests import tiny_attribute
from tests.cli.commands import process
from tests.tiny_e2 import tiny_image_processor, tiny_model, tiny_tokenizer


ENTITIES = ["article_type", "brand", "season", "colour"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    tiny_model(tag_entities=ENTITIES).save_pretrained(folder / "e2")
    E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES).save_pretrained(folder / "e2")
    values = {"neckline": ["v", "round"], "hem": ["short", "long"]}
    asen = tiny_attribute.tiny_asen(attribute_names=list(values), attribute_values=values)
    asen.save_pretrained(folder / "asen")
    tiny_attribute.tiny_image_processor().save_pretrained(folder / "asen")
    make_generated_corpus(train_rows=8, validation_rows=24, image_size=32).save_to_disk(folder / "corpus")
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


@pytest.mark.parametrize(("model", "option"), [("e2", ["--attributes", "hem"]), ("asen", ["--tags"])])
def test_options_of_the_other_kind_are_refused(saved, capsys, model, option):
    assert main(flags(saved, model, *option)) == 2
    assert f"{option[0]} is for the other kind of models" in capsys.readouterr().err


def test_a_re_ranker_is_not_evaluated_alone(folder, saved, capsys):
    assert main(flags(saved, "e2", "--model", str(folder / "fr"))) == 2
    assert "is a 'feature_reasoning'" in capsys.readouterr().err
