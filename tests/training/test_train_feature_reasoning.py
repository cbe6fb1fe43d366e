"""The training script of FR from outside: it learns from what an embedder finds, and survives a kill."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModel

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.training.tiny_attribute_run import PLACES, SIZE, SIZES, tiny_attribute_corpus
from tests.training.tiny_run import COLOURS, REPOSITORY, history, kill_at, start, train


SCRIPT = REPOSITORY / "training" / "train_feature_reasoning.py"


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


@pytest.fixture
def corpus(tmp_path) -> Path:
    tiny_attribute_corpus(tmp_path)
    return tmp_path


def test_killed_and_resumed_equals_never_killed(corpus):
    recipe = tiny_recipe(corpus, tiny_embedder(corpus), save_every=1)
    printed = train(recipe, "--output_dir", str(corpus / "whole"), script=SCRIPT)
    assert "lists to learn from" in printed and "initial_map" in printed

    process = start(recipe, "--output_dir", str(corpus / "killed"), script=SCRIPT)
    kill_at(process, corpus / "killed", 3)
    train(recipe, "--output_dir", str(corpus / "killed"), "--resume_from_checkpoint", "latest", script=SCRIPT)

    losses = history(corpus / "whole")
    assert history(corpus / "killed") == losses and losses[0]["loss"] > 0
    resumed, whole = (load_file(corpus / run / "last" / "model.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    model = AutoModel.from_pretrained(corpus / "whole" / "best")
    assert model.config.num_candidates == 9 and model.query_update.fc_out.weight.abs().max() > 0


def test_an_attribute_that_the_embedder_has_not_is_named(corpus):
    recipe = tiny_recipe(corpus, tiny_embedder(corpus, ("colour",)))
    process = start(recipe, "--set", "data.attributes=[place]", script=SCRIPT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0 and "the model has no attribute 'place'; it has colour" in printed
