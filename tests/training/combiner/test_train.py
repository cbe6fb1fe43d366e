"""The training of a combiner from outside: it learns from triples of tags, and survives a kill."""

from pathlib import Path

import pytest
import torch
import yaml
from datasets import Dataset, Image
from PIL import Image as PILImage
from safetensors.torch import load_file
from transformers import AutoModel

from hf_fashion.embedding.fingerprint import model_fingerprint
from tests.scripts.tiny_run import history, kill_at, save_corpus, start, train
from tests.tiny_combiner import SPACES
from tests.tiny_e2 import tiny_model, tiny_processor


MODEL = "combiner"


def rows(numbers: range) -> Dataset:
    """Photos of two brands and two seasons, each combination with the same number of products."""
    pixels = [(number % 2 * 200, number % 4 // 2 * 200, number) for number in numbers]
    columns = {
        "image": [PILImage.new("RGB", (16, 16), pixel) for pixel in pixels],
        "brand": [["Nike", "Puma"][number % 2] for number in numbers],
        "season": [["summer", "winter"][number % 4 // 2] for number in numbers],
    }
    return Dataset.from_dict(columns).cast_column("image", Image())


@pytest.fixture
def recipe(tmp_path) -> Path:
    save_corpus(tmp_path, rows, 16, 8)
    for part in (tiny_model(), tiny_processor()):
        part.save_pretrained(tmp_path / "embedder")
    (tmp_path / "map.yaml").write_text("tags: {brand: brand, season: season}\n")
    data = {"corpus": str(tmp_path / "corpus"), "column_map": str(tmp_path / "map.yaml"), "on_leak": "warn"}
    training = {"output_dir": str(tmp_path / "run"), "batch_size": 8, "log_every": 1, "warmup_steps": 2}
    training |= {"stages": [{"epochs": 2, "learning_rate": 1e-2}], "save_every": 1}
    model = {"embedder": str(tmp_path / "embedder"), "config": {"hidden_size": 8}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"model": model, "data": data, "training": training}))
    return tmp_path / "recipe.yaml"


def test_killed_and_resumed_equals_never_killed(recipe, tmp_path):
    printed = train(recipe, "--output_dir", str(tmp_path / "whole"), model=MODEL)
    assert "queries to learn from: {'brand': 16, 'season': 16}" in printed and "combiner_recall" in printed
    process = start(recipe, "--output_dir", str(tmp_path / "killed"), model=MODEL)
    kill_at(process, tmp_path / "killed", 3)
    train(recipe, "--output_dir", str(tmp_path / "killed"), "--resume_from_checkpoint", "latest", model=MODEL)

    losses = history(tmp_path / "whole")
    assert history(tmp_path / "killed") == losses and losses[1]["loss"] > 0
    assert losses[0]["validation/combiner_recall"] == losses[0]["validation/start_recall"], "before the first update"
    resumed, whole = (load_file(tmp_path / run / "last" / "model.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    model = AutoModel.from_pretrained(tmp_path / "whole" / "last")
    embedder = AutoModel.from_pretrained(tmp_path / "embedder")
    assert model_fingerprint(embedder) in model.config.embedder_fingerprints
    assert model.config.spaces == SPACES and model.residual.weight.abs().max() > 0
