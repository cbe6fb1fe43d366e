"""A saved combiner loads with `trust_remote_code` where hf_fashion cannot be imported, and combines the same."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from tests.hub.processes import run_python
from tests.tiny_combiner import tiny_combiner, tiny_queries


def test_outputs_are_equal_and_saving_again_keeps_the_code(tmp_path):
    model, saved = tiny_combiner(), tmp_path / "saved"
    model.save_pretrained(saved)
    save_file(tiny_queries(), tmp_path / "lists.safetensors")
    script = Path(__file__).with_name("load_feature_reasoning_anywhere.py")  # of any model of embeddings
    run_python(["-I", str(script), str(saved), str(tmp_path)], tmp_path)
    there = load_file(tmp_path / "outputs.safetensors")
    with torch.no_grad():
        here = model(**tiny_queries())
    assert there.keys() == here.keys()
    for name, tensor in here.items():
        torch.testing.assert_close(there[name], tensor)
    again = tmp_path / "saved_again"
    assert set(json.loads((again / "config.json").read_text())["auto_map"]) == {"AutoConfig", "AutoModel"}
    assert {path.name for path in again.glob("*.py")} == {path.name for path in saved.glob("*.py")}
    assert type(AutoModel.from_pretrained(saved)) is type(model)  # here, without remote code
