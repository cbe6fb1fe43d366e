"""The training of captioners from outside: it learns from texts only, tells photos apart, and survives a kill."""

from pathlib import Path

import pytest
import torch
import yaml
from accelerate import Accelerator
from datasets import load_from_disk
from safetensors.torch import load_file
from transformers import AutoModel, AutoProcessor, pipeline

from hf_fashion.training.captioner.recipe import CaptionerRecipe
from hf_fashion.training.captioner.train import load_embedder
from hf_fashion.training.captioner.train import train as train_here
from hf_fashion.training.loop import TrainingLoop
from tests import tiny_attribute
from tests.scripts.tiny_run import history, kill_at, start, tiny_corpus, train
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tiny_filip import tiny_filip


MODEL = "captioner"


def captioner_recipe(folder: Path, method: str, **training) -> Path:
    tiny_corpus(folder)
    tiny_model().save_pretrained(folder / "embedder")
    tiny_processor().save_pretrained(folder / "embedder")
    (folder / "map.yaml").write_text(yaml.safe_dump({"caption": "title"}))
    decoder = {"n_embd": 16, "n_layer": 1, "n_head": 2}
    sizes = {"vocab_size": 300, "max_caption_length": 16, "decoder_config": decoder}
    recipe = {
        "model": {"embedder": str(folder / "embedder"), "method": method, **sizes},
        "data": {"corpus": str(folder / "corpus"), "column_map": str(folder / "map.yaml"), "on_leak": "warn"},
        "training": {"output_dir": str(folder / "run"), "batch_size": 4, "log_every": 1, "warmup_steps": 2}
        | {"stages": [{"epochs": 1, "learning_rate": 1e-2}]}
        | training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


def test_killed_and_resumed_equals_never_killed(tmp_path):
    recipe = captioner_recipe(tmp_path, "capdec", save_every=1)
    printed = train(recipe, "--output_dir", str(tmp_path / "whole"), model=MODEL)
    assert "train: 24 captions" in printed and "parameters are trained" in printed
    process = start(recipe, "--output_dir", str(tmp_path / "killed"), model=MODEL)
    kill_at(process, tmp_path / "killed", 3)
    train(recipe, "--output_dir", str(tmp_path / "killed"), "--resume_from_checkpoint", "latest", model=MODEL)
    assert history(tmp_path / "killed") == history(tmp_path / "whole")
    resumed, whole = (load_file(tmp_path / run / "last" / "model.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_decap_keeps_its_embedding_model_and_its_memory_and_describes_photos(tmp_path):
    train(captioner_recipe(tmp_path, "decap"), model=MODEL)
    folder = tmp_path / "run" / "best"
    model = AutoModel.from_pretrained(folder)
    for name, weight in tiny_model().state_dict().items():
        torch.testing.assert_close(model.embedder.state_dict()[name], weight)
    titles = load_from_disk(tmp_path / "corpus")["train"]["title"]
    processor = tiny_processor()
    inputs = processor(text=list(titles), return_tensors="pt", padding=True)
    expected = torch.nn.functional.normalize(model.embedder.get_text_features(**inputs).pooler_output, dim=-1)
    torch.testing.assert_close(model.support_memory, expected, atol=1e-5, rtol=0)
    assert type(AutoProcessor.from_pretrained(folder)).__name__ == "CaptionerProcessor"
    describe = pipeline("fashion-captioning", model=str(folder))
    photo = load_from_disk(tmp_path / "corpus")["validation"][0]["image"]
    assert isinstance(describe(photo)[0]["generated_text"], str)


def test_activations_of_the_decoder_are_recomputed_where_the_recipe_asks_for_it(
    tmp_path, fresh_accelerate, monkeypatch
):
    trained = []
    monkeypatch.setattr(TrainingLoop, "train", lambda loop, model, checkpoint: trained.append(model))
    train_here(CaptionerRecipe.read(captioner_recipe(tmp_path, "capdec", gradient_checkpointing=True)))
    assert trained[0].decoder.is_gradient_checkpointing and not trained[0].embedder.is_gradient_checkpointing


def test_a_model_without_a_vector_or_without_texts_is_refused(tmp_path):
    for part in (tiny_filip(), tiny_processor()):
        part.save_pretrained(tmp_path / "filip")
    tiny_attribute.tiny_asen().save_pretrained(tmp_path / "asen")
    tiny_attribute.tiny_image_processor().save_pretrained(tmp_path / "asen")
    with pytest.raises(ValueError, match="FILIP"):
        load_embedder(str(tmp_path / "filip"), Accelerator(cpu=True))
    with pytest.raises(ValueError, match="AsenModel reads no text"):
        load_embedder(str(tmp_path / "asen"), Accelerator(cpu=True))
