"""The accelerator of a run: what the recipe asks for, or an error that says why not."""

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from hf_fashion.training.accelerator import make_accelerator, without_autocast
from hf_fashion.training.recipe import TrainingRecipe
from tests.warm_processes import run_warm, torchrun


pytestmark = pytest.mark.usefixtures("fresh_accelerate")

PRINT_PROCESS = """
from hf_fashion.training.accelerator import make_accelerator
from hf_fashion.training.recipe import TrainingRecipe
accelerator = make_accelerator(TrainingRecipe())
print(f"process {accelerator.process_index} of {accelerator.num_processes} on {accelerator.device.type}\\n", end="")
"""


def test_it_has_what_the_recipe_asks_for(tmp_path):
    settings = TrainingRecipe(output_dir=str(tmp_path), mixed_precision="bf16", gradient_accumulation_steps=3)
    accelerator = make_accelerator(settings)
    assert accelerator.mixed_precision == "bf16" and accelerator.gradient_accumulation_steps == 3


def test_each_seed_has_its_own_order_of_the_data():
    first, second = (make_accelerator(TrainingRecipe(seed=seed)).dataloader_config.data_seed for seed in (0, 1))
    assert second - first > 10_000  # Accelerate adds the number of the epoch


def test_a_tracker_that_is_not_installed_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setattr("hf_fashion.training.accelerator.get_available_trackers", list)
    with pytest.raises(ImportError, match=r'tensorboard, which is not installed: pip install "hf-fashion\[train\]"'):
        make_accelerator(TrainingRecipe(trackers=["tensorboard"]))
    with pytest.raises(ImportError, match="names wandb, which is not installed: pip install wandb"):
        make_accelerator(TrainingRecipe(trackers=["wandb"]))


def test_float16_on_a_cpu_is_refused():
    with pytest.raises(ValueError, match="fp16 needs a GPU"):
        make_accelerator(TrainingRecipe(mixed_precision="fp16"))


def test_bfloat16_that_the_processor_emulates_is_warned_of(monkeypatch, caplog):
    for emulated, said in ((False, ""), (True, "processor has no instructions for it: training may take ten times")):
        monkeypatch.setattr("hf_fashion.training.accelerator.is_emulated", lambda *_, emulated=emulated: emulated)
        make_accelerator(TrainingRecipe(mixed_precision="bf16"))
        assert said in caplog.text and bool(said) == bool(caplog.messages)


class Watched(nn.Linear):
    def forward(self, rows):
        self.autocast = torch.is_autocast_enabled("cpu")
        return super().forward(rows)


def test_a_prepared_model_computes_without_autocast_within_the_block_and_with_it_after():
    model, rows = Watched(4, 4), torch.randn(2, 4)
    exact, forward = model(rows), model.forward
    with without_autocast(model):  # not prepared: nothing to take off, and nothing to put back
        assert model.forward == forward
    assert "forward" not in vars(model)
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        for _ in range(2):  # stages prepare a model again, and Accelerate does not know its own among DDP's
            make_accelerator(TrainingRecipe(mixed_precision="bf16")).prepare(model)
            wrapped = DistributedDataParallel(model)
            del model._is_accelerate_prepared
            with pytest.raises(KeyboardInterrupt), without_autocast(model):
                assert torch.equal(model(rows), exact) and not model.autocast
                raise KeyboardInterrupt
            assert not torch.equal(wrapped(rows), exact) and model.autocast
    finally:
        distributed.destroy_process_group()


def test_processes_of_torchrun_train_together_where_there_is_no_gpu(monkeypatch):
    monkeypatch.delenv("ACCELERATE_USE_CPU")
    run = run_warm(torchrun("-c", PRINT_PROCESS), environment={"CUDA_VISIBLE_DEVICES": ""})
    assert sorted(run.stdout.splitlines()) == ["process 0 of 2 on cpu", "process 1 of 2 on cpu"], run.stderr


def test_processes_that_would_train_each_its_own_model_are_refused(monkeypatch):
    make_accelerator(TrainingRecipe())  # as in a process that has used Accelerate before it was one of two
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"2 processes were launched, but Accelerate joins 1 of them.*USE_CPU=true"):
        make_accelerator(TrainingRecipe())
