"""The loop that every training script runs: stages, updates, evaluation, checkpoints, exports."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm.auto import tqdm
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..hub.cards.facts import CorpusFacts
from .accelerator import without_autocast
from .optimisation import DivergenceGuard, choose_trainable, group_parameters, make_optimizer, make_schedule
from .pushing import BestModelPush
from .recipe import StageRecipe, TrainingRecipe
from .run_folder.checkpoints import RunState, Stateful, load_checkpoint, read_state, save_checkpoint
from .run_folder.exports import RunExports
from .run_folder.output_folder import checkpoint_folder, folder_of_one_run
from .step import TrainingStep


if TYPE_CHECKING:
    from peft import PeftModel

# Accelerate shuffles by seed + epoch. More than any real number of epochs, so that each stage has its own order.
EPOCHS_OF_A_STAGE = 10_000
# In float16, updates in a row that may be left out while the scale of the gradients falls.
LOSSES_LEFT_OUT = 50


class TrainingLoop:
    """Train a model by a recipe: stages, updates, evaluation, checkpoints, exports.

    Args:
        accelerator (`Accelerator`): devices, precision, processes.
        settings (`TrainingRecipe`): how to train.
        dataset (`Dataset`): map-style, with `set_epoch`.
        collator (`Callable`): makes a batch of its items.
        step (`TrainingStep`): computes the losses of a batch.
        evaluate (`Callable`): `(unwrapped model) -> metrics`; runs on the main process.
        primary_metric (`str`): the metric by which the best model is chosen; higher is better.
        recipe (`dict`): the whole recipe as plain values; a run resumes only with the same one.
        sources (`dict[str, str]`): fingerprints of what the run learns from; a run resumes only with the same ones.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): exported with the model, and kept in the
            checkpoints.
        printed_metrics (`Sequence[str]`, *optional*): metrics to print after each evaluation.
        batch_sampler (`Sampler`, *optional*): draws the batches, with `set_epoch`, instead of shuffling the data.
        evaluate_untrained (`bool`, *optional*, defaults to `False`): whether the model may be the best one before its
            first update, such as a re-ranker that changes nothing.
        corpus (`CorpusFacts`, *optional*): what the cards of the exported models tell about the data.
        push (`BestModelPush`, *optional*): pushes the best model to the Hub; on the main process.
        adapter (`PeftModel`, *optional*): from [`add_adapter`], if the model has an adapter: exports are then merged
            models, and hold the adapter in `adapter/`.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        settings: TrainingRecipe,
        dataset: Dataset,
        collator: Callable[[Sequence[Any]], dict[str, torch.Tensor]],
        step: TrainingStep,
        evaluate: Callable[[PreTrainedModel], dict[str, float]],
        primary_metric: str,
        recipe: dict[str, Any],
        sources: dict[str, str],
        processor: ProcessorMixin | BaseImageProcessor | None = None,
        printed_metrics: Sequence[str] = (),
        batch_sampler: Sampler | None = None,
        evaluate_untrained: bool = False,
        corpus: CorpusFacts | None = None,
        push: BestModelPush | None = None,
        adapter: "PeftModel | None" = None,
    ):
        self.accelerator, self.settings = accelerator, settings
        self.dataset, self.collator, self.batch_sampler = dataset, collator, batch_sampler
        self.step, self.evaluation, self.evaluate_untrained = step, evaluate, evaluate_untrained
        self.primary_metric, self.printed_metrics = primary_metric, printed_metrics
        self.processor, self.push = processor, push
        self.guard = DivergenceGuard(patience=0 if accelerator.scaler is None else LOSSES_LEFT_OUT)
        self.output_dir = Path(settings.output_dir)
        self.exports = RunExports(accelerator, self.output_dir, processor, corpus, adapter)
        self.state = RunState(recipe=recipe, sources=sources, num_processes=accelerator.num_processes)
        self._counted_at = time.monotonic()

    def train(self, model: PreTrainedModel, checkpoint: Path | None = None) -> None:
        """Run all stages and export the last model.

        Args:
            model (`PreTrainedModel`): the model.
            checkpoint (`Path`, *optional*): where to resume, from [`checkpoint_to_resume`].

        Raises:
            ValueError: if the training rows make no batch, another run writes to the output folder or has done so
                meanwhile, or the training diverges.
        """
        set_seed(self.settings.seed + self.accelerator.process_index)
        with folder_of_one_run(self.accelerator, self.output_dir, checkpoint):
            self.finish(self.run(model, checkpoint))
        self.accelerator.end_training()

    def run(self, model: PreTrainedModel, checkpoint: Path | None = None) -> PreTrainedModel:
        """Run all stages, or the rest of them after a checkpoint, and return the model.

        Args:
            model (`PreTrainedModel`): the model.
            checkpoint (`Path`, *optional*): where to resume.

        Raises:
            ValueError: if the training rows make no batch.
        """
        for stage in self.settings.stages:  # what is wrong with a later one is said before the first is trained
            choose_trainable(model, stage)
            self.step.start_stage(model, stage)
            group_parameters(model, stage)
        if checkpoint:
            self.state = replace(read_state(checkpoint), recipe=self.state.recipe)  # the corpus may have another place
            self._take_over_best(checkpoint)
        elif self.evaluate_untrained:
            self._evaluate_and_export(model)
        for number in range(self.state.stage, len(self.settings.stages)):
            model = self._run_stage(model, self.settings.stages[number], checkpoint)
            self.state.stage, self.state.epoch, checkpoint = number + 1, 0, None
        return model

    def _take_over_best(self, checkpoint: Path) -> None:
        """Bring the best model so far to the output folder; without one the search for the best begins again."""
        if self.state.best > RunState.best and not self.exports.take_over_best(checkpoint):
            self.state = replace(self.state, best=RunState.best, evaluated=RunState.evaluated)
            self.accelerator.print(f"The run of {checkpoint} has no best/: the best model is chosen from here on.")

    def _run_stage(self, model: PreTrainedModel, stage: StageRecipe, checkpoint: Path | None) -> PreTrainedModel:
        choose_trainable(model, stage)
        self.step.start_stage(model, stage)
        wrapped, optimizer, loader, scheduler = self._prepare(model, stage)
        self.stateful = Stateful(model, optimizer, scheduler, self.step.checkpointed)
        if checkpoint:
            load_checkpoint(self.accelerator, checkpoint, self.stateful)
        num_batches = max(1, round(stage.epochs * len(loader)))
        with tqdm(
            total=num_batches,
            initial=self.state.epoch * len(loader) + self.state.batch,
            desc=stage.name,
            disable=not self.accelerator.is_main_process,
        ) as progress:
            for epoch in range(self.state.epoch, math.ceil(num_batches / len(loader))):
                last_batch = num_batches - epoch * len(loader)
                self._run_epoch(wrapped, optimizer, scheduler, loader, epoch, last_batch, progress)
                self.state.epoch, self.state.batch = epoch + 1, 0
                if not self.settings.eval_every:
                    self._evaluate(model)
        if self.state.evaluated != self.state.update:
            self._evaluate(model)
        return model

    def _prepare(self, model: PreTrainedModel, stage: StageRecipe) -> tuple:
        """Return model, optimiser, batches and schedule of a stage, as Accelerate prepares them."""
        settings, accelerator = self.settings, self.accelerator
        accelerator.free_memory()
        optimizer = make_optimizer(model, settings, stage)
        loader = self._make_loader()
        wrapped, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        if len(loader) == 0:
            advice = "draw more of them an epoch" if self.batch_sampler is not None else "lower `training.batch_size`"
            raise ValueError(
                f"{len(self.dataset)} training rows make no batch on each of {accelerator.num_processes} processes: "
                f"{advice}."
            )
        updates_an_epoch = math.ceil(len(loader) / accelerator.gradient_accumulation_steps)
        scheduler = make_schedule(optimizer, settings, stage, updates_an_epoch)
        wrapped.train()
        return wrapped, optimizer, loader, accelerator.prepare(scheduler)

    def _make_loader(self) -> DataLoader:
        settings = self.settings
        shared = {"collate_fn": self.collator, "num_workers": settings.num_workers}
        # Its own generator: the order must not depend on other random draws or on the process.
        shared["generator"] = torch.Generator().manual_seed(settings.seed)
        if self.batch_sampler is not None:
            return DataLoader(self.dataset, batch_sampler=self.batch_sampler, **shared)
        return DataLoader(self.dataset, settings.batch_size, shuffle=True, drop_last=True, **shared)

    def _run_epoch(self, wrapped, optimizer, scheduler, loader, epoch: int, last_batch: int, progress) -> None:
        accelerator, state = self.accelerator, self.state
        # Accelerate does not pass the epoch on to a batch sampler.
        samplers = [] if self.batch_sampler is None else [self.batch_sampler]
        for shuffled in (loader, self.dataset, *samplers):
            shuffled.set_epoch(epoch + EPOCHS_OF_A_STAGE * state.stage)
        model = accelerator.unwrap_model(wrapped)
        earlier = sum(stage.epochs for stage in self.settings.stages[: state.stage])
        # Before the loop, which changes the state.
        batches = accelerator.skip_first_batches(loader, state.batch) if state.batch else loader
        for batch in batches:
            if state.batch >= last_batch and accelerator.sync_gradients:  # a stage may end within an epoch
                break
            self.step.start_batch(earlier + epoch + state.batch / len(loader))
            with accelerator.accumulate(wrapped):
                losses = self.step(wrapped, model, batch)
                self.guard.watch(losses["loss"], state.update + 1)
                accelerator.backward(losses["loss"] * self._window_weight(len(loader)))
                optimizer.step()
                optimizer.zero_grad()
            state.batch += 1
            progress.update()
            if accelerator.sync_gradients:
                scheduler.step()
                with torch.no_grad():
                    self.step.after_update(model)
                state.update += 1
                self._log(losses, scheduler.get_last_lr()[0], progress)
                self._evaluate_and_save_if_due(model)

    def _window_weight(self, batches_an_epoch: int) -> float:
        """Weight of the current batch, so that an update takes the mean over its batches.

        Accelerate divides by `gradient_accumulation_steps`, but the last update of an epoch may have fewer batches.
        """
        steps = self.accelerator.gradient_accumulation_steps
        first = self.state.batch - self.state.batch % steps
        return steps / min(steps, batches_an_epoch - first)

    def _log(self, losses: dict[str, torch.Tensor], learning_rate: float, progress: tqdm) -> None:
        if self.state.update % self.settings.log_every == 0:
            values = {name: loss.item() for name, loss in losses.items()}
            progress.set_postfix(loss=f"{values['loss']:.3f}")
            self._record(values | {"learning_rate": learning_rate})

    def _evaluate_and_save_if_due(self, model: PreTrainedModel) -> None:
        settings, update = self.settings, self.state.update
        if settings.eval_every and update % settings.eval_every == 0:
            self._evaluate(model)
        if settings.save_every and update % settings.save_every == 0:
            self.guard.check(model)
            self._save()

    def _evaluate(self, model: PreTrainedModel) -> None:
        """Evaluate the model, and save a checkpoint unless `save_every` has its own rhythm."""
        self.guard.check(model)
        self.state.evaluated = self.state.update
        self._evaluate_and_export(model)
        if not self.settings.save_every:
            self._save()

    def _evaluate_and_export(self, model: PreTrainedModel) -> None:
        """Evaluate the model, and export it if it is the best one so far."""
        if self.accelerator.is_main_process:
            with without_autocast(self.accelerator.unwrap_model(model, keep_torch_compile=False)):
                metrics = self.evaluation(model)
            self._print(metrics)
            self._record({f"validation/{name}": value for name, value in metrics.items()})
            if not math.isfinite(metrics[self.primary_metric]):
                raise ValueError(
                    f"the validation's {self.primary_metric} is {metrics[self.primary_metric]}, no number."
                )
            if metrics[self.primary_metric] > self.state.best:
                self.state.best = metrics[self.primary_metric]
                self._count_seconds()
                self.exports.write(model, "best", self.state)
                if self.push is not None:
                    self.push.best_changed()
        self.accelerator.wait_for_everyone()

    def _print(self, metrics: dict[str, float]) -> None:
        if self.printed_metrics:
            shown = ", ".join(f"{name} {metrics[name]:.4f}" for name in self.printed_metrics)
            self.accelerator.print(f"validation: {shown}")

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._counted_at
        self._counted_at = now

    def _save(self) -> None:
        self._count_seconds()
        folder = checkpoint_folder(self.output_dir)
        save_checkpoint(self.accelerator, self.state, self.stateful, folder, self.processor)
        if self.push is not None:
            self.push.after_save(self.state.update)
        self.accelerator.wait_for_everyone()  # for the push, which is the main process's

    def _record(self, values: dict[str, float]) -> None:
        self.state.history.append({"update": self.state.update, **values})
        self.accelerator.log(values, step=self.state.update)

    def finish(self, model: PreTrainedModel) -> None:
        """Export the last model and write `results.json`; push the best model if that is due.

        Args:
            model (`PreTrainedModel`): the model, unwrapped.
        """
        if self.accelerator.is_main_process:
            self._count_seconds()
            self.exports.finish(model, self.state, self.primary_metric)
            if self.push is not None:
                self.push.at_end()
        self.accelerator.wait_for_everyone()
