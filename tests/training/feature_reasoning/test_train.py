"""The training of FR from outside: it learns from what an embedder finds, and survives a kill."""

import ast
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from datasets import DatasetDict, load_from_disk
from safetensors.torch import load_file
from transformers import AutoModel

from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.scripts.tiny_attribute_run import PLACES, SIZE, SIZES, tiny_attribute_corpus
from tests.scripts.tiny_run import COLOURS, history, kill_at, start, train


MODEL = "feature_reasoning"


def tiny_embedder(folder: Path, names: tuple[str, ...] = ("colour", "place")) -> Path:
    """An ASEN that has learned nothing: colours differ for it all the same."""
    torch.manual_seed(0)
    values = {"colour": sorted(COLOURS), "place": sorted(PLACES)}
    config = AsenConfig(attribute_names=list(names), attribute_values={name: values[name] for name in names}, **SIZES)
    AsenModel(config).save_pretrained(folder / "embedder")
    size = {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}
    AttributeImageProcessorPil(**size).save_pretrained(folder / "embedder")
    return folder / "embedder"


def tiny_recipe(folder: Path, embedder: Path, **training) -> Path:
    places = {"corpus": str(folder / "corpus"), "column_map": str(folder / "map.yaml"), "on_leak": "warn"}
    recipe = {
        "model": {"embedder": str(embedder), "config": {"num_candidates": 9, "hidden_size": 8}},
        "data": places | {"cache_folder": str(folder / "photos")},
        "lists": {"max_average_precision": 1.0, "min_positives": 1},
        "training": {"output_dir": str(folder / "run"), "batch_size": 4, "log_every": 1, "warmup_steps": 2}
        | {"stages": [{"epochs": 2, "learning_rate": 1e-2}]}
        | training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


def lists_of(printed: str) -> dict[str, int]:
    """Attribute -> lists to learn from."""
    return ast.literal_eval(printed.partition("lists to learn from: ")[2].splitlines()[0])


@pytest.fixture
def corpus(tmp_path) -> Path:
    tiny_attribute_corpus(tmp_path)
    return tmp_path


def test_killed_and_resumed_equals_never_killed(corpus):
    recipe = tiny_recipe(corpus, tiny_embedder(corpus), save_every=1)
    printed = train(recipe, "--output_dir", str(corpus / "whole"), model=MODEL)
    assert lists_of(printed)["colour"] > 9 and "initial_map" in printed
    assert "must not have seen the train split" in printed

    process = start(recipe, "--output_dir", str(corpus / "killed"), model=MODEL)
    kill_at(process, corpus / "killed", 3)
    train(recipe, "--output_dir", str(corpus / "killed"), "--resume_from_checkpoint", "latest", model=MODEL)

    losses = history(corpus / "whole")
    assert history(corpus / "killed") == losses and losses[1]["loss"] > 0
    untrained = losses[0]
    assert untrained["update"] == 0 and untrained["validation/map"] == untrained["validation/initial_map"]
    resumed, whole = (load_file(corpus / run / "last" / "model.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    model = AutoModel.from_pretrained(corpus / "whole" / "last")
    embedder = AutoModel.from_pretrained(corpus / "embedder")
    assert model_fingerprint(embedder) in model.config.embedder_fingerprints
    assert model_fingerprint(embedder.to(torch.bfloat16)) in model.config.embedder_fingerprints
    assert model.config.num_candidates == 9 and model.query_update.fc_out.weight.abs().max() > 0


def test_two_processes_learn_what_one_learns_from_what_is_held_out(corpus):
    """Two processes with half a batch each take the steps of one with the whole batch."""
    splits = load_from_disk(corpus / "corpus")
    numbered = {name: split.add_column("id", list(map(str, range(len(split))))) for name, split in splits.items()}
    DatasetDict(numbered).save_to_disk(corpus / "numbered")
    (corpus / "map.yaml").write_text("attributes: {colour: colour, place: place}\nproduct_id: id\n")
    recipe = tiny_recipe(corpus, tiny_embedder(corpus), stages=[{"epochs": 2, "learning_rate": 1e-3}])
    held_out = ["--set", f"data.corpus={corpus / 'numbered'}", "data.held_out_fraction=0.4"]
    printed = train(recipe, "--output_dir", str(corpus / "one"), *held_out, model=MODEL)
    assert "must not have seen" not in printed and lists_of(printed)["colour"] <= 9, "only the held-out products"
    train(
        recipe,
        "--output_dir",
        str(corpus / "two"),
        *held_out,
        "training.batch_size=2",
        processes=2,
        model=MODEL,
    )
    one, two = (load_file(corpus / run / "last" / "model.safetensors") for run in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-5)


def test_where_training_only_harms_the_best_model_changes_nothing(corpus):
    """By steps far too large."""
    recipe = tiny_recipe(corpus, tiny_embedder(corpus, ("colour",)), stages=[{"epochs": 1, "learning_rate": 10.0}])
    train(recipe, model=MODEL)
    evaluations = [entry for entry in history(corpus / "run") if "validation/map" in entry]
    best = AutoModel.from_pretrained(corpus / "run" / "best")
    assert evaluations[-1]["validation/map"] <= evaluations[0]["validation/map"]
    assert (best.query_update.fc_out.weight == 0).all() and (best.candidate_update.fc_out.weight == 0).all()


def test_a_catalogue_that_has_changed_is_embedded_again_and_no_run_goes_on_over_it(corpus):
    """In the same place, by the same recipe: what an earlier run has stored is of other photos."""
    recipe = tiny_recipe(corpus, tiny_embedder(corpus))
    train(recipe, model=MODEL)
    shutil.rmtree(corpus / "run" / "checkpoints")
    train(recipe, model=MODEL)
    assert len(list((corpus / "run").glob("searches-*"))) == 1, "the same photos are embedded once"
    shutil.rmtree(corpus / "corpus")
    tiny_attribute_corpus(corpus, train_rows=20)
    settings = corpus / "embedder" / "preprocessor_config.json"
    settings.write_text(settings.read_text().replace('"do_normalize": true', '"do_normalize": false'))

    resumed = start(recipe, "--resume_from_checkpoint", "latest", model=MODEL)
    _, printed = resumed.communicate(timeout=120)
    assert resumed.returncode == 2 and "has changed since: rows of train: " in printed and "embedding model" in printed
    shutil.rmtree(corpus / "run" / "checkpoints")
    train(recipe, model=MODEL)
    assert len(list((corpus / "run").glob("searches-*"))) == 2


def test_an_attribute_that_the_embedder_has_not_is_named(corpus):
    recipe = tiny_recipe(corpus, tiny_embedder(corpus, ("colour",)))
    process = start(recipe, "--set", "data.attributes=[place]", model=MODEL)
    _, printed = process.communicate(timeout=120)
    assert process.returncode != 0 and "the model has no attribute 'place'; it has colour" in printed
