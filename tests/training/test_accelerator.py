"""The accelerator of a run: what the recipe asks for, or an error that says why not."""

import pytest

from hf_fashion.training.accelerator import make_accelerator
from hf_fashion.training.recipe import TrainingRecipe


pytestmark = pytest.mark.usefixtures("fresh_accelerate")


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
