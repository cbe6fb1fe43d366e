"""From a training to someone else's machine: what was pushed gives the same numbers there, without hf_fashion."""

import json
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, Image
from PIL import Image as PILImage
from transformers import AutoModel, AutoProcessor, pipeline

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.hub.processes import run_python
from tests.hub.round_trip_anywhere import NUM_CANDIDATES, TEXTS
from tests.hub_server import HubServer
from tests.scripts.tiny_run import history, tiny_corpus, tiny_recipe, train
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture
def products(tmp_path) -> Dataset:
    """Save photos that no two of look alike; return them as a catalogue."""
    tiny_corpus(tmp_path)
    (tmp_path / "products").mkdir()
    paths = [str(tmp_path / "products" / f"{number:02d}.png") for number in range(24)]
    for path, pixels in zip(paths, np.random.default_rng(0).integers(0, 256, (24, 2, 2, 3), np.uint8), strict=True):
        PILImage.fromarray(pixels).resize((16, 16)).save(path)
    PILImage.open(paths[0]).save(tmp_path / "photo.jpg")
    columns = {"id": list(map(str, range(24))), "image": paths}
    return Dataset.from_dict(columns).cast_column("image", Image())


def found_here(best: Path, products, tmp_path: Path) -> dict:
    """Return what hf_fashion gives for the models in their folders."""
    parts = AutoModel.from_pretrained(best), AutoProcessor.from_pretrained(best)
    Gallery.from_dataset(products, *parts, uri=tmp_path / "gallery", id_column="id")
    classify = pipeline("zero-shot-image-classification", model=str(best))
    options = {"gallery": str(tmp_path / "gallery"), "top_k": NUM_CANDIDATES}
    search = pipeline("fashion-retrieval", model=str(best), **options)
    reranked = pipeline("fashion-retrieval", model=str(best), reranker=str(tmp_path / "fr"), **options)
    return {
        "labels": classify(str(tmp_path / "products" / "00.png"), candidate_labels=["red", "blue"]),
        "scores": [[result["score"] for result in results] for results in search(TEXTS)],
        "ids": [[int(result["id"]) for result in results] for results in search(TEXTS)],
        "reranked": [[int(result["id"]) for result in results] for results in reranked(TEXTS)],
    }


def test_a_pushed_training_gives_the_same_numbers_without_hf_fashion(products, tmp_path, monkeypatch):
    recipe = tiny_recipe(tmp_path, stages=[{"epochs": 4, "learning_rate": 1e-2}])
    tiny_feature_reasoning().save_pretrained(tmp_path / "fr")
    with HubServer() as hub:
        hub.use_here(monkeypatch)
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        train(recipe, "--push_to_hub", "--hub_model_id", "e2", warm=False)
        assert main(["push", str(tmp_path / "fr"), "tester/fr"]) == 0
        script = Path(__file__).with_name("round_trip_anywhere.py")
        run_python(["-I", str(script), str(tmp_path)], tmp_path, hub.environment())
    there = json.loads((tmp_path / "results.json").read_text())
    here = found_here(tmp_path / "run" / "best", products, tmp_path)

    assert there["task"] == "zero-shot-image-classification"
    assert [one["label"] for one in there["labels"]] == [one["label"] for one in here["labels"]]
    for one, other in zip(there["labels"], here["labels"], strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    assert there["ids"] == here["ids"] and there["reranked"] == here["reranked"]
    assert there["reranked"] != there["ids"]
    np.testing.assert_allclose(there["scores"], here["scores"], atol=1e-3)  # the gallery stores float16
    best = max(
        entry["validation/sum_recall"] for entry in history(tmp_path / "run") if "validation/sum_recall" in entry
    )
    assert ["sum_recall", pytest.approx(best, abs=1e-4)] in there["evaluations"]
