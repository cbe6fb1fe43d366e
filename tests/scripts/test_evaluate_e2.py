"""The evaluation script on saved models and a saved corpus."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from datasets import Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.data.splits import train_and_validation
from hf_fashion.evaluation.splits import load_splits
from hf_fashion.models.e2.modeling_e2 import E2Model
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
    assert "brand_layer_1_centre_inside_chance" in results["localisation"]
    printed = capsys.readouterr().out
    for title in ("image to text", "Tags, zero-shot", "Linear probe", "Selected patches"):
        assert title in printed


def test_what_descriptions_find_is_re_ranked(script, saved, tmp_path, capsys, monkeypatch):
    names = ["query_expansion", "k_reciprocal"]
    output, embedded, embed = tmp_path / "results.json", [], E2Model.get_text_features

    def counted(model, **texts):
        embedded.append(len(texts["input_ids"]))
        return embed(model, **texts)

    monkeypatch.setattr(E2Model, "get_text_features", counted)
    script.main(flags(saved, "--column_map", "generated", "--rerankers", *names, "--output", str(output)))
    results = json.loads(output.read_text())
    assert embedded == [results["cross_modal"]["num_texts"]]  # once
    assert list(results["reranking"]) == names
    before = {figures["initial_map"] for figures in results["reranking"].values()}
    # Of one right photo a query, AP is 1 / rank, so MAP lies between recall@1 and 1.
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


@pytest.fixture(scope="module")
def single_split(saved):
    """One split of 40 products, two photos of which cannot be read."""
    dataset = make_generated_corpus(train_rows=40, validation_rows=1, image_size=32)["train"]
    cells = dataset.cast_column("image", Image(decode=False)).to_dict()
    held_out = train_and_validation({"data": dataset}, ColumnMap.shipped("generated"), validation_fraction=0.5)
    kept_apart = set(held_out["validation"]["product_id"])
    bad = [row for row, product in enumerate(cells["product_id"]) if product in kept_apart][:2]
    for row in bad:
        cells["image"][row] = {"bytes": b"broken", "path": None}
    path = saved / "single" / "data.parquet"
    path.parent.mkdir()
    dataset.from_dict(cells, features=dataset.features).to_parquet(path)
    return path, kept_apart - {cells["product_id"][row] for row in bad}


def test_products_that_training_held_out_are_evaluated(script, saved, single_split):
    path, expected = single_split
    arguments = script.parse_arguments(
        flags(saved, "--corpus", str(path), "--validation_fraction", "0.5", "--on_bad_image", "skip")
    )
    dataset, train, report = load_splits(arguments, ColumnMap.shipped("generated"), with_train=True)
    assert set(dataset["product_id"]) == expected
    assert len(train) + len(dataset) == 38 and not expected & set(train["product_id"])
    assert len(report.skipped["validation"]) == 2


def test_skipped_rows_are_in_the_results_and_an_error_names_them(script, saved, single_split, tmp_path):
    path, expected = single_split
    output = tmp_path / "results.json"
    single = flags(saved, "--corpus", str(path), "--column_map", "generated", "--validation_fraction", "0.5")
    script.main([*single, "--on_bad_image", "skip", "--output", str(output)])
    results = json.loads(output.read_text())
    assert (results["split"], results["skipped_rows"]) == ("validation", 2)
    assert results["cross_modal"]["num_images"] <= len(expected)
    with pytest.raises(ValueError, match="validation: 2 unreadable images, rows"):
        script.main(single)


def test_a_feed_with_a_missing_photo_is_evaluated_on_request(script, saved, tmp_path):
    rows = make_generated_corpus(train_rows=4, validation_rows=1, image_size=32)["train"]
    lines = ["image,caption"]
    for number, row in enumerate(rows):
        row["image"].save(tmp_path / f"{number}.png")
        lines.append(f'{number}.png,"{row["caption"]}"')
    (tmp_path / "validation.csv").write_text("\n".join([*lines, "gone.png,Hat"]) + "\n")
    arguments = ["--corpus", str(tmp_path / "validation.csv"), "--on_bad_image"]
    column_map = ColumnMap(caption="caption")
    dataset, _, _ = load_splits(script.parse_arguments(flags(saved, *arguments, "skip")), column_map)
    assert len(dataset) == 4
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        load_splits(script.parse_arguments(flags(saved, *arguments, "error")), column_map)
