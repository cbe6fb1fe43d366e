"""The loop on a real, tiny model: stages, updates, evaluation, the best export, checkpoints and resuming."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Dataset

from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.training.accelerator import make_accelerator
from hf_fashion.training.feature_reasoning.lists import collate_lists
from hf_fashion.training.feature_reasoning.recipe import ReasoningLossRecipe
from hf_fashion.training.feature_reasoning.step import FeatureReasoningStep
from hf_fashion.training.loop import TrainingLoop
from hf_fashion.training.recipe import StageRecipe, TrainingRecipe
from hf_fashion.training.run_folder.resuming import checkpoint_to_resume
from tests.accelerate_state import reset_accelerate
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_lists


pytestmark = pytest.mark.usefixtures("fresh_accelerate")


class Lists(Dataset):
    """Eight lists of six candidates, every other one right."""

    def __init__(self):
        self.lists = tiny_lists(queries=8)
        self.epochs = []

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)

    def __len__(self) -> int:
        return 8

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        item = {name: embeds[row].float() for name, embeds in self.lists.items()}
        return item | {"positives": torch.arange(6) % 2 == 0}


class Recorded(FeatureReasoningStep):
    """A real step that notes when it is called, and stops like a killed process."""

    def __init__(self, stop_at: int | None = None):
        super().__init__(ReasoningLossRecipe())
        self.stages, self.updates, self.steps, self.stop_at = [], 0, 0, stop_at

    def __call__(self, wrapped, model, batch):
        if self.steps == self.stop_at:
            raise KeyboardInterrupt
        self.steps += 1
        return super().__call__(wrapped, model, batch)

    def start_stage(self, model, stage):
        self.stages.append(stage.name)

    def after_update(self, model):
        assert not torch.is_grad_enabled()
        self.updates += 1


def make(folder: Path, step: FeatureReasoningStep | None = None, metrics=None, **settings) -> SimpleNamespace:
    """Return a loop over four batches an epoch with its parts; `metrics` are what its evaluations find in turn."""
    stages = settings.pop("stages", [StageRecipe(epochs=2, learning_rate=1e-2)])
    loop_settings = settings.pop("loop", {})
    recipe = TrainingRecipe(output_dir=str(folder), stages=stages, batch_size=2, log_every=1, **settings)
    found, dataset, step = iter(metrics or []), Lists(), step or Recorded()
    loop = TrainingLoop(
        make_accelerator(recipe),
        recipe,
        dataset,
        collate_lists,
        step,
        evaluate=lambda model: {"map": next(found, 0.5)},
        primary_metric="map",
        recipe={"training": {"seed": recipe.seed, "batch_size": 2}},
        sources={"rows of train": "8"},
        **loop_settings,
    )
    return SimpleNamespace(loop=loop, dataset=dataset, step=step, model=tiny_feature_reasoning())


def latest(loop: TrainingLoop) -> Path | None:
    return checkpoint_to_resume(loop.accelerator, "latest", loop.output_dir, loop.state.recipe)


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def test_a_run_writes_its_losses_evaluations_and_models(tmp_path, capsys):
    run = make(tmp_path, metrics=[0.25, 0.5], loop={"printed_metrics": ("map",)})
    run.loop.train(run.model)
    printed = capsys.readouterr().out
    assert "validation: map 0.2500" in printed
    last = printed.splitlines()[-1]
    assert last == f"saved: the best model in {tmp_path / 'best'}, the last one in {tmp_path / 'last'}"
    history = results(tmp_path)["history"]
    assert [entry["update"] for entry in history if "loss" in entry] == list(range(1, 9))
    assert [entry["validation/map"] for entry in history if "validation/map" in entry] == [0.25, 0.5]
    assert results(tmp_path)["best_map"] == 0.5
    last = FeatureReasoningModel.from_pretrained(tmp_path / "last")
    assert all(torch.equal(tensor, run.model.state_dict()[name]) for name, tensor in last.state_dict().items())
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_the_best_model_is_kept_when_later_ones_are_worse(tmp_path):
    run = make(tmp_path, metrics=[0.5, 0.25])
    run.loop.train(run.model)
    best, last = (FeatureReasoningModel.from_pretrained(tmp_path / name).state_dict() for name in ("best", "last"))
    assert results(tmp_path)["best_map"] == 0.5
    assert any(not torch.equal(best[name], tensor) for name, tensor in last.items())


def test_an_untrained_model_may_be_the_best(tmp_path):
    run = make(tmp_path, metrics=[0.75, 0.5, 0.25], loop={"evaluate_untrained": True})
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    run.loop.train(run.model)
    best = FeatureReasoningModel.from_pretrained(tmp_path / "best").state_dict()
    assert all(torch.equal(best[name], tensor) for name, tensor in before.items())
    assert results(tmp_path)["history"][0] == {"update": 0, "validation/map": 0.75}


def test_stages_follow_each_other_and_may_end_within_an_epoch(tmp_path):
    stages = [StageRecipe(1, 1e-2, name="first"), StageRecipe(1.5, 1e-3, name="second")]
    run = make(tmp_path, stages=stages)
    run.loop.train(run.model)
    assert run.step.stages[-2:] == ["first", "second"]
    assert run.step.updates == 4 + 6 and run.step.steps == 10
    assert len(set(run.dataset.epochs)) == 3, "each epoch of each stage has its own order"


def test_gradients_are_accumulated(tmp_path):
    run = make(tmp_path, stages=[StageRecipe(1, 1e-2)], gradient_accumulation_steps=2)
    run.loop.train(run.model)
    assert (run.step.steps, run.step.updates) == (4, 2)


def gradients(folder: Path, steps: int) -> list[torch.Tensor]:
    """Return the accumulated gradient after each of four batches, by a run that changes hardly anything."""
    run = make(folder, stages=[StageRecipe(1, learning_rate=1e-30)], gradient_accumulation_steps=steps)
    found = []
    weight = run.model.query_update.fc_out.weight
    weight.register_post_accumulate_grad_hook(lambda parameter: found.append(parameter.grad.clone()))
    run.loop.train(run.model)
    reset_accelerate()
    return found


def test_an_update_is_the_mean_over_the_batches_that_are_there(tmp_path):
    """Of four batches, three and one, or two and two."""
    single = gradients(tmp_path / "1", 1)
    assert len(single) == 4 and all(gradient.abs().max() > 0 for gradient in single)
    by_three = gradients(tmp_path / "3", 3)
    torch.testing.assert_close(by_three[2], sum(single[:3]) / 3)
    torch.testing.assert_close(by_three[3], single[3])
    by_two = gradients(tmp_path / "2", 2)
    torch.testing.assert_close(by_two[3], sum(single[2:]) / 2)


def test_evaluations_and_checkpoints_have_their_own_rhythm(tmp_path):
    run = make(tmp_path, stages=[StageRecipe(1.5, 1e-2)], eval_every=4, save_every=3)
    run.loop.train(run.model)
    evaluated = [entry["update"] for entry in results(tmp_path)["history"] if "validation/map" in entry]
    assert evaluated == [4, 6], "a stage ends with an evaluation"
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["update-00000003", "update-00000006"]


@pytest.mark.parametrize("stop_at", [3, 6])
def test_a_stopped_run_resumes_to_the_same_losses(tmp_path, stop_at):
    whole = make(tmp_path / "whole", save_every=1)
    whole.loop.train(whole.model)
    stopped = make(tmp_path / "stopped", Recorded(stop_at), save_every=1)
    with pytest.raises(KeyboardInterrupt):
        stopped.loop.train(stopped.model)
    resumed = make(tmp_path / "stopped", save_every=1)
    resumed.loop.train(resumed.model, latest(resumed.loop))
    assert results(tmp_path / "stopped")["history"] == results(tmp_path / "whole")["history"]
    assert resumed.step.steps == 8 - stop_at
    weights = whole.model.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in resumed.model.state_dict().items())


def finished_elsewhere(folder: Path) -> Path:
    """Return the last checkpoint of a run whose best model came first."""
    elsewhere = make(folder, metrics=[0.75, 0.25])
    elsewhere.loop.train(elsewhere.model)
    return latest(elsewhere.loop)


def test_a_run_that_resumes_in_another_folder_takes_the_best_model_along(tmp_path):
    checkpoint = finished_elsewhere(tmp_path / "a")
    resumed = make(tmp_path / "b")
    resumed.loop.train(resumed.model, checkpoint)
    first, second = (FeatureReasoningModel.from_pretrained(tmp_path / name / "best") for name in "ab")
    assert all(torch.equal(first.state_dict()[name], tensor) for name, tensor in second.state_dict().items())
    assert results(tmp_path / "b")["best_map"] == 0.75


def test_where_the_best_model_is_gone_the_best_of_the_rest_is_chosen(tmp_path, capsys):
    checkpoint = finished_elsewhere(tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "best")
    resumed = make(tmp_path / "b")
    resumed.loop.train(resumed.model, checkpoint)
    assert f"The run of {checkpoint} has no best/: the best model is chosen from here on." in capsys.readouterr().out
    assert FeatureReasoningModel.from_pretrained(tmp_path / "b" / "best")
    assert results(tmp_path / "b")["best_map"] == 0.5


class Fading(Recorded):
    """Notes how far the run is at each batch."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def start_batch(self, epochs):
        self.epochs.append(epochs)


def test_a_step_knows_how_far_the_run_is(tmp_path):
    stages = [StageRecipe(1.5, 1e-2, name="first"), StageRecipe(1, 1e-3, name="second")]
    run = make(tmp_path, Fading(), stages=stages, save_every=9)
    run.loop.train(run.model)
    assert run.step.epochs == [number / 4 for number in range(10)]
    resumed = make(tmp_path, Fading(), stages=stages, save_every=9)
    resumed.loop.train(resumed.model, latest(resumed.loop))
    assert resumed.step.epochs == [9 / 4]


def test_a_run_whose_newest_checkpoint_is_damaged_resumes_from_the_one_before(tmp_path, caplog):
    whole = make(tmp_path / "whole", save_every=1)
    whole.loop.train(whole.model)
    stopped = make(tmp_path / "stopped", Recorded(6), save_every=1)
    with pytest.raises(KeyboardInterrupt):
        stopped.loop.train(stopped.model)
    newest = tmp_path / "stopped" / "checkpoints" / "update-00000006" / "training.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    resumed = make(tmp_path / "stopped", save_every=1)
    resumed.loop.train(resumed.model, latest(resumed.loop))
    assert "update-00000006 is damaged: training.safetensors was changed or cut" in caplog.text
    assert resumed.step.steps == 3
    assert results(tmp_path / "stopped")["history"] == results(tmp_path / "whole")["history"]
    assert len(list((tmp_path / "stopped" / "checkpoints").iterdir())) == 2


def test_too_few_rows_for_a_batch_are_an_error(tmp_path):
    run = make(tmp_path)
    run.loop.settings.batch_size = 9
    with pytest.raises(ValueError, match=r"8 training rows make no batch .* lower `training.batch_size`"):
        run.loop.train(run.model)


class Diverging(Recorded):
    """Its loss is not finite from an update on."""

    def __call__(self, wrapped, model, batch):
        losses = super().__call__(wrapped, model, batch)
        return losses | {"loss": losses["loss"] * (float("nan") if self.updates >= 5 else 1)}


@pytest.mark.parametrize("settings", [{}, {"save_every": 1}, {"eval_every": 1}])
def test_a_training_that_diverges_stops_and_keeps_what_was_good(tmp_path, settings):
    run = make(tmp_path, Diverging(), metrics=[number / 10 for number in range(1, 9)], **settings)
    with pytest.raises(ValueError, match="the loss of update 6 is nan: the training has diverged"):
        run.loop.train(run.model)
    assert not (tmp_path / "last").exists()
    best = FeatureReasoningModel.from_pretrained(tmp_path / "best")
    assert all(weights.isfinite().all() for weights in best.parameters())
    resumed = make(tmp_path, **settings)
    resumed.loop.train(resumed.model, latest(resumed.loop))
    assert all(weights.isfinite().all() for weights in resumed.model.parameters())


def test_a_later_stage_that_trains_nothing_is_said_before_the_first(tmp_path):
    run = make(tmp_path, stages=[StageRecipe(1, 1e-2), StageRecipe(1, 0.0, name="rest")])
    with pytest.raises(ValueError, match="stage 'rest' trains nothing"):
        run.loop.train(run.model)
    assert not run.step.steps


class Freezing(Recorded):
    """Freezes parts whatever a stage trains."""

    def start_stage(self, model, stage):
        model.query_update.requires_grad_(False)


def test_a_later_stage_whose_rates_are_of_frozen_parts_is_said_before_the_first(tmp_path):
    rest = StageRecipe(1, 1e-3, name="rest", learning_rates={"query_update": 1e-2})
    run = make(tmp_path, Freezing(), stages=[StageRecipe(1, 1e-2), rest])
    with pytest.raises(
        ValueError, match=r"stage 'rest' names 'query_update', but no trainable parameter's name begins"
    ):
        run.loop.train(run.model)
    assert not run.step.steps


def test_a_metric_that_is_not_finite_is_no_best_one(tmp_path):
    run = make(tmp_path, metrics=[float("nan")])
    with pytest.raises(ValueError, match="validation's map is nan"):
        run.loop.train(run.model)
    assert not (tmp_path / "best").exists()
