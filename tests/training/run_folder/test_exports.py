"""What a run leaves for others: models with their cards, and `results.json`."""

import json

import pytest
import torch
from transformers import AutoModel, AutoProcessor

from hf_fashion.training.run_folder.checkpoints import RunState
from hf_fashion.training.run_folder.exports import RunExports
from tests.tiny_e2 import tiny_model, tiny_processor


STATE = RunState(update=8, best=0.5, recipe={"training": {"seed": 3}}, history=[{"update": 8, "loss": 1.25}])


@pytest.fixture
def exports(accelerator, tmp_path):
    return RunExports(accelerator, tmp_path, tiny_processor())


def test_an_export_loads_with_its_processor_and_has_a_card(exports, tmp_path):
    model = tiny_model()
    exports.write(model, "best", STATE)
    loaded = AutoModel.from_pretrained(tmp_path / "best").state_dict()
    assert all(torch.equal(loaded[name], weights) for name, weights in model.state_dict().items())
    assert AutoProcessor.from_pretrained(tmp_path / "best")(text="shirt")["input_ids"]
    assert "| updates | 8 |" in (tmp_path / "best" / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "best" / "modules.json").exists(), "for sentence-transformers"


def test_a_later_export_takes_the_place_of_the_one_before(exports, tmp_path):
    for seed in (0, 1):
        model = tiny_model(seed)
        exports.write(model, "best", STATE)
    loaded = AutoModel.from_pretrained(tmp_path / "best").state_dict()
    assert all(torch.equal(loaded[name], weights) for name, weights in model.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_the_end_of_a_run_is_written_and_said(exports, tmp_path, capsys):
    exports.finish(tiny_model(), STATE, "sum_recall")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results == {"recipe": STATE.recipe, "best_sum_recall": 0.5, "history": STATE.history}
    assert capsys.readouterr().out == (
        f"saved: the best model in {tmp_path / 'best'}, the last one in {tmp_path / 'last'}\n"
    )
