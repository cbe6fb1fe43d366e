"""Models that cannot be loaded are named, with what is wrong with them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from hf_fashion.embedding.saved_models import load_model, named_errors
from tests.tiny_combiner import tiny_combiner
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "runs" / "e2" / "best"
    tiny_model().save_pretrained(folder)
    tiny_processor().save_pretrained(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def change_config(folder: Path, **values) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


def test_a_model_comes_with_its_processor_in_evaluation_mode(saved):
    model, processor = load_model(saved, "cpu", torch.float32)
    assert not model.training and model.dtype == torch.float32
    assert type(processor) is type(tiny_processor())


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "processor_config.json", "tokenizer.json", "tokenizer_config.json"]
)
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\xff" * 99])
def test_a_damaged_file_is_named(copy, name, damage):
    (copy / name).write_bytes(damage((copy / name).read_bytes()))
    with pytest.raises(ValueError, match=rf"the model in '.*copy' cannot be loaded: its file {name} is damaged \("):
        load_model(copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vision_config": [1]}, "StrictDataclass.*: Validation error for field 'vision_config'"),
        ({"projection_dim": "x"}, "Field 'projection_dim' expected int, got str"),
        ({"projection_dim": -3}, "negative dimension -3"),
        ({"projection_dim": 13}, "its weights have other shapes than its config.json names"),
    ],
)
def test_a_config_that_does_not_fit_is_told(copy, values, message):
    change_config(copy, **values)
    with pytest.raises(ValueError, match=rf"the model in '.*copy' cannot be loaded: .*{message}"):
        load_model(copy)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.safetensors", "no file named model.safetensors"),
        ("processor_config.json", "it has no processor_"),
    ],
)
def test_a_missing_file_is_told(copy, name, message):
    (copy / name).unlink()
    with pytest.raises(ValueError, match=rf"the model in '.*copy' cannot be loaded: .*{message}"):
        load_model(copy)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (tiny_feature_reasoning, r"a 'feature_reasoning' embeds nothing: give it as `reranker` \(--reranker\)"),
        (tiny_combiner, r"a 'combiner' embeds nothing: give it as `combiner` \(--combiner\)"),
    ],
)
def test_a_model_that_embeds_nothing_is_told_with_its_place(make, message, tmp_path):
    make().save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / "other")


def test_a_mistyped_path_is_told_with_the_right_one(saved, monkeypatch):
    monkeypatch.chdir(saved.parents[2])
    for typed, meant in (("runs/e2/bset", "runs/e2/best"), ("runs/e3/best", "runs/e2/best"), ("rnus", "runs")):
        with pytest.raises(OSError, match=rf"there is no model in a folder '{typed}' \(did you mean '{meant}'\?\)"):
            load_model(typed)
    with pytest.raises(OSError, match=r"^there is no model in a folder '/no/model'$"):
        load_model("/no/model")


def test_of_an_id_the_answer_of_the_hub_is_told():
    with pytest.raises(OSError, match=r"in a folder 'someone/e2', nor can the model 'someone/e2' of the Hub be"):
        load_model("someone/e2")


def test_a_folder_of_models_is_none(saved):
    with pytest.raises(OSError, match=rf"no config\.json \(there are models in {saved}\)$"):
        load_model(saved.parents[1])
    with pytest.raises(ValueError, match=r"a folder or an id on the Hub, '.*model\.safetensors' is a file"):
        load_model(saved / "model.safetensors")


def test_code_of_a_model_runs_only_with_consent(copy, tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # what `yes |` answers
    change_config(copy, model_type="stranger", auto_map={"AutoConfig": "strange.Config", "AutoModel": "strange.Model"})
    (copy / "strange.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ValueError, match="it brings code of its own, which runs only with `trust_remote_code`"):
        load_model(copy)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_model(copy, trust_remote_code=True)
    assert (tmp_path / "ran").exists()


def test_a_float_type_that_the_processor_emulates_is_warned_of(saved, monkeypatch, caplog):
    for emulated, said in ((False, []), (True, [f"{saved} is in bfloat16, for which this processor has no instr"])):
        monkeypatch.setattr("hf_fashion.embedding.saved_models.is_emulated", lambda *_, emulated=emulated: emulated)
        load_model(saved, "cpu", "bfloat16")
        assert [message[: len(said[0])] for message in caplog.messages] == said


def test_too_little_memory_is_no_fault_of_the_model(saved):
    with pytest.raises(MemoryError), named_errors(saved):
        raise MemoryError
