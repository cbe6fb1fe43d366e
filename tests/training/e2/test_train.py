"""The training of E2 from outside: it trains, it is repeatable, it survives a kill, two processes are one."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoProcessor
from transformers.models.clip.modeling_clip import CLIPAttention

from hf_fashion import FilipModel
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.files import sha256_of
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.e2.recipe import E2ModelRecipe, E2Recipe, RegionWeightRecipe
from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.e2.train import train as train_in_process
from tests.scripts.tiny_run import (
    REPOSITORY,
    history,
    kill_at,
    start,
    tiny_corpus,
    tiny_recipe,
    train,
    wait_for,
)
from tests.tiny_e2 import tiny_processor
from tests.tiny_e2_families import tiny_clip


STAGES = [
    {"name": "warm-up", "trainable": "new", "epochs": 1, "learning_rate": 1e-2},
    {"name": "full", "epochs": 1.7, "learning_rate": 1e-3},
]


@pytest.fixture
def corpus(tmp_path):
    tiny_corpus(tmp_path)
    return tmp_path


def weights(run):
    return load_file(run / "last" / "model.safetensors")


def test_killed_and_resumed_equals_never_killed(corpus):
    """Two stages, accumulated updates; the process is killed without warning once a checkpoint of stage two exists."""
    recipe = tiny_recipe(corpus, stages=STAGES, gradient_accumulation_steps=2, save_every=1)
    train(recipe, "--output_dir", str(corpus / "whole"))

    process = start(recipe, "--output_dir", str(corpus / "killed"))
    kill_at(process, corpus / "killed", 5)
    train(recipe, "--output_dir", str(corpus / "killed"), "--resume_from_checkpoint", "latest", warm=False)

    assert history(corpus / "killed") == history(corpus / "whole")
    resumed, whole = weights(corpus / "killed"), weights(corpus / "whole")
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_exports_load_and_only_the_new_parts_move_in_the_warm_up(corpus):
    train(
        tiny_recipe(corpus, stages=STAGES[1:]),
        "--set",
        "model.architecture=clip",
        "--output_dir",
        str(corpus / "clip"),
    )
    start_from = f"model.start_from={corpus / 'clip' / 'last'}"
    recipe = tiny_recipe(corpus, stages=STAGES[:1])
    printed = train(recipe, "--set", start_from, "model.config={}")
    assert "text_to_image_recall@1" in printed

    clip, e2 = weights(corpus / "clip"), weights(corpus / "run")
    moved = {name for name in clip if not torch.equal(clip[name], e2[name])}
    assert moved == set(), "the warm-up trains what a CLIP lacks, and nothing else"
    model = AutoModel.from_pretrained(corpus / "run" / "best")
    processor = AutoProcessor.from_pretrained(corpus / "run" / "best")
    assert model.config.tag_entities == processor.tag_entities == ["colour", "brand"]
    for export in ("best", "last"):
        files = {path.suffix for path in (corpus / "run" / export).rglob("*") if path.is_file()}
        assert files == {".json", ".py", ".safetensors", ".md", ".png"}, "no pickle in what others load"
    for folder in (corpus / "clip" / "last", corpus / "run" / "best"):
        loaded = SentenceTransformer(str(folder), trust_remote_code=True, device="cpu")
        found, expected = (one.encode(["a red dress"]) for one in (loaded, Encoder.from_pretrained(folder, "cpu")))
        assert abs(found - expected).max() < 1e-6


def test_two_processes_learn_what_one_learns(corpus):
    """Two processes with half a batch each take the steps of one with the whole batch: E2 with tags, some missing.

    Without fusion blocks no patch is drawn, so that both runs compute the same.
    """
    config = tiny_recipe(corpus, stages=[{"epochs": 1, "learning_rate": 1e-3}])
    quiet = ["--set", "model.config.fusion_layers=[]"]
    train(config, *quiet, "training.batch_size=8", "--output_dir", str(corpus / "one"))
    train(config, *quiet, "training.batch_size=4", "--output_dir", str(corpus / "two"), processes=2)
    one, two = history(corpus / "one"), history(corpus / "two")
    assert len(one) == len(two) == 4
    for first, second in zip(one, two, strict=True):
        for name in ("contrastive", "region"):
            assert first.get(name, 0) == pytest.approx(second.get(name, 0), rel=1e-4)


def test_two_processes_resume_to_the_same_losses_and_one_is_refused(corpus):
    """Each process draws its own patches, so each has its own random states."""
    recipe = tiny_recipe(corpus, stages=[{"epochs": 2, "learning_rate": 1e-3}], save_every=1)
    train(recipe, "--output_dir", str(corpus / "whole"), processes=2)
    newest = sorted((corpus / "whole" / "checkpoints").iterdir())[-1]
    shutil.copytree(corpus / "whole", corpus / "again", ignore=shutil.ignore_patterns("results.json", newest.name))
    resumed = ["--output_dir", str(corpus / "again"), "--resume_from_checkpoint", "latest"]
    train(recipe, *resumed, processes=2)
    assert history(corpus / "again") == history(corpus / "whole")
    again, whole = weights(corpus / "again"), weights(corpus / "whole")
    assert all(torch.equal(again[name], tensor) for name, tensor in whole.items())

    alone = start(recipe, *resumed)
    _, printed = alone.communicate(timeout=120)
    assert alone.returncode == 2 and "a run in 2 processes, this one has 1" in printed


def test_a_full_disk_ends_a_run_with_a_line_and_leaves_nothing_half_written(corpus):
    recipe = tiny_recipe(corpus, save_every=1)
    command = f"ulimit -f 150; exec {sys.executable} -m hf_fashion train e2 {recipe}"  # no file over 150 KB
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "ACCELERATE_USE_CPU": "true"}
    ended = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "update-00000001 cannot be written: " in ended.stderr and "too large" in ended.stderr
    assert list((corpus / "run" / "checkpoints").iterdir()) == []


def test_a_new_run_does_not_mix_with_an_old_one(corpus):
    recipe = tiny_recipe(corpus)
    train(recipe)
    again = start(recipe)
    _, printed = again.communicate(timeout=120)
    assert again.returncode != 0 and "earlier run" in printed
    changed = start(recipe, "--resume_from_checkpoint", "latest", "--set", "training.batch_size=8")
    _, printed = changed.communicate(timeout=120)
    assert changed.returncode != 0 and "training.batch_size" in printed


def test_a_changed_corpus_is_refused_and_the_tokenizer_of_the_checkpoint_is_kept(corpus):
    """Embeddings of a tokenizer that is trained again would stand for other words."""
    train(tiny_recipe(corpus))
    tiny_corpus(corpus / "other", train_rows=20)
    (corpus / "corpus").rename(corpus / "before")
    (corpus / "other" / "corpus").rename(corpus / "corpus")
    resumed = start(tiny_recipe(corpus), "--resume_from_checkpoint", "latest")
    _, printed = resumed.communicate(timeout=120)
    assert resumed.returncode != 0 and "rows of train: 24, now 20; train: photos (column 'image')" in printed

    (corpus / "corpus").rename(corpus / "other" / "corpus")
    (corpus / "before").rename(corpus / "corpus")
    checkpoint = sorted((corpus / "run" / "checkpoints").iterdir())[-1]
    tokenizers = [checkpoint / "processor" / "tokenizer.json", corpus / "run" / "last" / "tokenizer.json"]
    assert tokenizers[0].read_bytes() == tokenizers[1].read_bytes()
    planted = json.loads(tokenizers[0].read_text()) | {"truncation": None, "padding": None}
    planted["added_tokens"][0]["single_word"] = True
    tokenizers[0].write_text(json.dumps(planted))
    state = json.loads((checkpoint / "run_state.json").read_text())
    state["sha256"]["processor/tokenizer.json"] = sha256_of(tokenizers[0])
    (checkpoint / "run_state.json").write_text(json.dumps(state))
    train(tiny_recipe(corpus), "--resume_from_checkpoint", "latest")
    assert json.loads(tokenizers[1].read_text())["added_tokens"][0]["single_word"], "it was loaded, not trained again"


def test_bad_data_is_refused_before_training(corpus):
    recipe = tiny_recipe(corpus)
    (corpus / "map.yaml").write_text("caption: titel\n")
    process = start(recipe)
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "hf-fashion: error: the corpus cannot be used" in printed and "Traceback" not in printed
    assert "titel" in printed and "title" in printed
    assert not (corpus / "run").exists()


def test_the_launcher_adds_no_traceback_where_it_is_quiet(corpus):
    recipe = tiny_recipe(corpus, epochs=2)
    flags = ["--quiet", "--cpu", "--num_processes", "1", "-m", "hf_fashion", "train", "e2", str(recipe)]
    command = [sys.executable, "-m", "accelerate.commands.launch", *flags]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    launched = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=corpus, timeout=120)
    assert launched.returncode != 0 and "Traceback" not in launched.stderr
    assert "hf-fashion: error: recipe.training: unknown key 'epochs'" in launched.stderr


def test_ctrl_c_ends_a_run_without_a_traceback_and_it_resumes(corpus):
    recipe = tiny_recipe(corpus, stages=[{"epochs": 30, "learning_rate": 1e-3}], save_every=1)
    process = start(recipe)
    wait_for(process, corpus / "run", 2)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in printed
    assert "hf-fashion: stopped. --resume_from_checkpoint latest goes on from its last checkpoint." in printed
    assert not list((corpus / "run" / "checkpoints").glob(".*"))


def test_results_say_how_they_were_made(corpus):
    train(tiny_recipe(corpus), "--set", "training.seed=7", "model.compose_text=true")
    results = json.loads((corpus / "run" / "results.json").read_text())
    assert results["recipe"]["training"]["seed"] == 7 and results["recipe"]["model"]["compose_text"]
    assert results["best_sum_recall"] >= 0
    assert {"loss", "contrastive", "region", "learning_rate"} <= set(results["history"][0])
    continued = [
        "--output_dir",
        str(corpus / "continued"),
        "--set",
        f"model={{start_from: {corpus / 'run' / 'best'}}}",
    ]
    train(tiny_recipe(corpus), *continued)
    assert json.loads((corpus / "continued" / "results.json").read_text())["recipe"]["model"]["compose_text"]
    assert E2Processor.from_pretrained(corpus / "continued" / "best").compose_text


def fine_tuning(corpus, run: str, **model) -> E2Recipe:
    """Return a recipe that starts from a tiny CLIP, freezes two of its three layers, and uses every option."""
    if not (corpus / "clip").is_dir():
        tiny_clip().save_pretrained(corpus / "clip")
        tiny_processor().save_pretrained(corpus / "clip")
    stages = [{"epochs": 1.5, "learning_rate": 1e-2, "learning_rates": {"vision_model": 5e-3}}]
    recipe = E2Recipe.read(tiny_recipe(corpus, stages=stages, save_every=2))
    recipe.training.output_dir = str(corpus / run)
    is_e2 = model.get("architecture", "e2") == "e2"
    config = {"first_selection_layer": 3, "fusion_layers": [3]} if is_e2 else {}
    recipe.model = E2ModelRecipe(start_from=str(corpus / "clip"), freeze_layers=2, config=config, **model)
    return recipe


def test_a_run_above_frozen_layers_resumes_only_with_those_of_its_start(corpus, fresh_accelerate):
    """A checkpoint brings the weights of the layers, and the outputs on disk are of the start's."""
    train_in_process(fine_tuning(corpus, "run"))
    other = tiny_clip()
    other.vision_model.encoder.layers[0].mlp.fc1.weight.data.mul_(2)
    other.save_pretrained(corpus / "clip")
    with pytest.raises(ValueError, match="frozen layers of the model that the run starts from"):
        train_in_process(fine_tuning(corpus, "run"), "latest")


def test_fine_tuning_above_frozen_layers_resumes_to_the_same_weights(corpus, fresh_accelerate, monkeypatch, capsys):
    schedule = RegionWeightRecipe(start=0.0, end=0.5, epochs=1)
    train_in_process(fine_tuning(corpus, "whole", region_weight=schedule))
    assert capsys.readouterr().out.count("The first 2 layers are run once") == 2, "for either split"

    after_update, calls = E2Step.after_update, []

    def killed(self, model):
        calls.append(model)
        if len(calls) == 6:
            raise KeyboardInterrupt
        after_update(self, model)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(E2Step, "after_update", killed)
        train_in_process(fine_tuning(corpus, "killed", region_weight=schedule))
    train_in_process(fine_tuning(corpus, "killed", region_weight=schedule), "latest")
    assert "run once" not in capsys.readouterr().out, "the outputs are on disk"

    assert history(corpus / "killed") == history(corpus / "whole")
    resumed, whole = (load_file(corpus / run / "last" / "model.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    before = load_file(corpus / "clip" / "model.safetensors")
    still = {name for name, tensor in before.items() if torch.equal(whole[name], tensor)}
    frozen = ("embeddings", "pre_layrnorm", "encoder.layers.0", "encoder.layers.1")
    assert still == {name for name in before if name.startswith(tuple(f"vision_model.{part}." for part in frozen))}
    config = json.loads((corpus / "whole" / "last" / "config.json").read_text())
    assert config["region_loss_weight"] == 0.5


def test_the_baselines_use_the_same_outputs(corpus, fresh_accelerate, capsys):
    for architecture in ("e2", "clip", "filip"):
        train_in_process(fine_tuning(corpus, f"{architecture}-ft", architecture=architecture))
        assert ("run once" in capsys.readouterr().out) == (architecture == "e2")
    assert isinstance(AutoModel.from_pretrained(corpus / "filip-ft" / "last"), FilipModel)


def test_a_clip_learns_weights_of_entities(corpus, fresh_accelerate):
    train_in_process(fine_tuning(corpus, "weighted", architecture="clip", weigh_entities=True))
    model = AutoModel.from_pretrained(corpus / "weighted" / "last")
    words = model.entity_words
    assert model.config.weighted_entities == ["colour", "brand"] and words.weight.all() and words.shares.any()


@pytest.mark.parametrize(("precision", "attention"), [("no", "sdpa"), ("bf16", "eager")])
def test_attention_on_a_cpu_fits_the_precision_and_is_not_saved(
    corpus, fresh_accelerate, monkeypatch, precision, attention
):
    used = set()

    def after_update(self, model):
        used.update(part.config._attn_implementation for part in model.modules() if isinstance(part, CLIPAttention))

    monkeypatch.setattr(E2Step, "after_update", after_update)
    recipe = fine_tuning(corpus, "run")
    recipe.training.mixed_precision = precision
    train_in_process(recipe)
    assert used == {attention}
    assert AutoModel.from_pretrained(corpus / "run" / "last").config._attn_implementation == "sdpa"


def test_tokens_that_enter_below_frozen_layers_are_refused(corpus, fresh_accelerate):
    recipe = fine_tuning(corpus, "run")
    recipe.model.config = {}
    with pytest.raises(ValueError, match=r"enter before layer 1.*`model\.config\.first_selection_layer` to 3"):
        train_in_process(recipe)
    assert not (corpus / "run").exists()
