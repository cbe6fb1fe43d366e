"""A saved FR loads with `trust_remote_code` where hf_fashion cannot be imported, and re-ranks the same."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from tests.hub.processes import run_python
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists


def test_outputs_are_equal_and_saving_again_keeps_the_code(tmp_path):
    model, saved = tiny_feature_reasoning(), tmp_path / "saved"
    model.save_pretrained(saved)
    save_file(tiny_lists(), tmp_path / "lists.safetensors")
    script = Path(__file__).with_name("load_feature_reasoning_anywhere.py")
    run_python(["-I", str(script), str(saved), str(tmp_path)], tmp_path)
    there = load_file(tmp_path / "outputs.safetensors")
    with torch.no_grad():
        here = model(**tiny_lists())
    assert there.keys() == here.keys()
    for name, tensor in here.items():
        torch.testing.assert_close(there[name], tensor)
    again = tmp_path / "saved_again"
    assert set(json.loads((again / "config.json").read_text())["auto_map"]) == {"AutoConfig", "AutoModel"}
    assert {path.name for path in again.glob("*.py")} == {path.name for path in saved.glob("*.py")}


def test_it_loads_without_remote_code_where_hf_fashion_is_imported(tmp_path):
    model = tiny_feature_reasoning()
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert type(loaded) is type(model)
    # Not to the last bit: the MLP is float32, and its sums may be taken in another order where weights lie elsewhere.
    similarities = [each(**tiny_lists()).similarities for each in (loaded, model)]
    torch.testing.assert_close(*similarities, atol=1e-6, rtol=0)
