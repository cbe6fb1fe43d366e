"""A training with `--lora_r` from outside: what it exports, how it resumes, and its adapter on a Hub."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from hf_fashion.cli.main import parse_arguments
from tests.hub.adapters import e2_base, e2_run, ipad_base, ipad_run, outputs
from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.scripts.tiny_run import REPOSITORY, history
from tests.tiny_e2 import tiny_inputs


RUNS = {"e2": (e2_base, e2_run), "ipad": (ipad_base, ipad_run)}
TRAIN_AND_PUSH = """
import sys
from pathlib import Path
from huggingface_hub import HfApi
from hf_fashion.cli.main import main
from tests.hub.adapters import e2_base, e2_run

def push(name, folder):
    HfApi().create_repo(name)
    HfApi().upload_folder(repo_id=name, folder_path=folder)

folder = Path(sys.argv[1])
push("tester/base", e2_base(folder / "base"))
assert main(e2_run(folder, "tester/base")) == 0
push("tester/trained", folder / "run" / "best")
push("tester/adapter", folder / "run" / "best" / "adapter")
"""


@pytest.fixture
def train(fresh_accelerate):
    """The command in this process."""

    def run(arguments: list[str], *more: object) -> None:
        parsed = parse_arguments([*arguments, *map(str, more)])
        parsed.run(parsed)

    return run


@pytest.mark.parametrize("name", RUNS)
def test_a_run_exports_the_merged_model_and_the_adapter_and_resumes(tmp_path, train, name):
    make_base, make_run = RUNS[name]
    base, arguments = make_base(tmp_path / "base"), make_run(tmp_path, tmp_path / "base")
    train(arguments)
    folders = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"best", "last", "checkpoints", "results.json"} <= folders
    for export in (tmp_path / "run" / "best", tmp_path / "run" / "last"):
        merged = outputs(AutoModel.from_pretrained(export))
        adapted = PeftModel.from_pretrained(AutoModel.from_pretrained(base), export / "adapter")
        torch.testing.assert_close(outputs(adapted), merged, atol=1e-5, rtol=0)
        assert load_file(export / "model.safetensors").keys() == load_file(base / "model.safetensors").keys()
        card = json.loads((export / "card.json").read_text())
        assert card["run"]["parameters"] == AutoModel.from_pretrained(base).num_parameters()
    assert not torch.allclose(outputs(AutoModel.from_pretrained(base)), merged, atol=1e-4)

    earlier = sorted((tmp_path / "run" / "checkpoints").iterdir())[0]
    shutil.move(earlier, tmp_path / "kept")
    train(arguments, "--output_dir", tmp_path / "resumed", "--resume_from_checkpoint", tmp_path / "kept")
    assert history(tmp_path / "resumed") == history(tmp_path / "run")
    for file in ("model.safetensors", "adapter/adapter_model.safetensors"):
        whole, resumed = (load_file(tmp_path / run / "last" / file) for run in ("run", "resumed"))
        assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_an_adapter_of_an_e2_does_not_start_from_a_clip(tmp_path, train):
    from transformers import CLIPConfig, CLIPModel

    CLIPModel(CLIPConfig(projection_dim=4, **tiny_towers())).save_pretrained(tmp_path / "clip")
    with pytest.raises(ValueError, match=r"is a CLIP, and an adapter of an E2 is loaded on an E2\. Save one"):
        train(e2_run(tmp_path, tmp_path / "clip"))
    assert not (tmp_path / "run").exists()


def tiny_towers() -> dict[str, dict[str, int]]:
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 4}
    return {"text_config": sizes | {"vocab_size": 8}, "vision_config": sizes | {"image_size": 8, "patch_size": 4}}


def test_an_adapter_is_pushed_and_loaded_on_its_base_without_hf_fashion(tmp_path):
    inputs = {name: tiny_inputs()[name] for name in ("pixel_values", "input_ids")}
    save_file(inputs, tmp_path / "inputs.safetensors")
    environment = {"PYTHONPATH": str(REPOSITORY), "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "0"}
    with HubServer() as hub:
        environment |= hub.environment()
        run_python(["-c", TRAIN_AND_PUSH, str(tmp_path)], tmp_path, environment)
        script = str(Path(__file__).with_name("adapt_anywhere.py"))
        ids = ["tester/base", "tester/trained", "tester/adapter"]
        run_python(["-I", script, *ids, str(tmp_path)], tmp_path, environment)
    found = load_file(tmp_path / "outputs.safetensors")
    with torch.no_grad():
        here = AutoModel.from_pretrained(tmp_path / "run" / "best").eval()(**inputs).image_embeds
    assert len(found) == 4
    for name, embeds in found.items():
        torch.testing.assert_close(embeds, here, atol=1e-5, rtol=0, msg=f"{name} differs")
