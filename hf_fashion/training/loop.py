"""The loop that every training script runs: stages, updates, evaluation, checkpoints, exports."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.utils import DataLoaderConfiguration
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm.auto import tqdm
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..files import folder_written_aside, write_json
from .checkpoints import (
    RunState,
    find_checkpoint,
    list_checkpoints,
    read_state,
    require_same_recipe,
    save_checkpoint,
)
from .optimisation import choose_trainable, make_optimizer, make_schedule
from .recipe import StageRecipe, TrainingRecipe


Losses = dict[str, torch.Tensor]

# Accelerate shuffles by seed + epoch. Above any real number of epochs and stages, so that no two stages, and no two
# seeds, see the data in the same order.
EPOCHS_OF_A_STAGE = 10_000
SEED_STRIDE = 1_000_003


def make_accelerator(settings: TrainingRecipe) -> Accelerator:
    """The accelerator that [`TrainingLoop`] expects, with the trackers of a recipe."""
    accelerator = Accelerator(
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        mixed_precision=settings.mixed_precision,
        log_with=settings.trackers or None,
        project_dir=settings.output_dir,
        dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=settings.seed * SEED_STRIDE),
        # The loop steps the schedule once an update; Accelerate would step it once a process.
        step_scheduler_with_optimizer=False,
        kwargs_handlers=[
            # A batch without any tag leaves the heads of the entities out of the loss.
            DistributedDataParallelKwargs(find_unused_parameters=True),
            # The other processes wait while the main one checks the corpus and resizes its photos.
            InitProcessGroupKwargs(timeout=timedelta(hours=6)),
        ],
    )
    if settings.trackers:
        accelerator.init_trackers("hf_fashion", config={"seed": settings.seed, "batch_size": settings.batch_size})
    return accelerator


class TrainingLoop:
    """Trains a model by a recipe. What differs between models comes as functions.

    Args:
        accelerator (`Accelerator`): devices, precision, processes.
        settings (`TrainingRecipe`): how to train.
        dataset (`Dataset`): map-style, with `set_epoch`.
        collator (`Callable`): makes a batch of its items.
        loss_of (`Callable`): `(model, unwrapped model, batch) -> {"loss": ..., parts by name}`.
        after_update (`Callable`): `(unwrapped model)`, called without gradients after every update.
        evaluate (`Callable`): `(unwrapped model) -> figures`; runs on the main process.
        primary_metric (`str`): the figure that says which model is best; higher is better.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): exported beside the model.
        recipe (`dict`): the whole recipe as plain values; a run resumes with the same one only.
        batch_sampler (`Sampler`, *optional*): draws the batches, with `set_epoch`, instead of a shuffle of the data.
        before_stage (`Callable`, *optional*): `(unwrapped model, stage)`, called before each stage's first update.
        checkpointed (`Sequence`): what else a checkpoint keeps, each with `state_dict` and `load_state_dict`.
        untrained_counts (`bool`): whether the model may be best before its first update, as a re-ranker may that
            changes nothing.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        settings: TrainingRecipe,
        dataset: Dataset,
        collator: Callable[[Sequence[Any]], dict[str, torch.Tensor]],
        loss_of: Callable[[torch.nn.Module, PreTrainedModel, dict[str, torch.Tensor]], Losses],
        after_update: Callable[[PreTrainedModel], None],
        evaluate: Callable[[PreTrainedModel], dict[str, float]],
        primary_metric: str,
        processor: ProcessorMixin | BaseImageProcessor | None,
        recipe: dict[str, Any],
        batch_sampler: Sampler | None = None,
        before_stage: Callable[[PreTrainedModel, StageRecipe], None] | None = None,
        checkpointed: Sequence[Any] = (),
        untrained_counts: bool = False,
    ):
        self.accelerator, self.settings = accelerator, settings
        self.dataset, self.collator, self.processor = dataset, collator, processor
        self.loss_of, self.clean_up, self.evaluation = loss_of, after_update, evaluate
        self.primary_metric = primary_metric
        self.output_dir = Path(settings.output_dir)
        self.batch_sampler, self.before_stage = batch_sampler, before_stage
        self.untrained_counts = untrained_counts
        self.state = RunState(recipe=recipe)
        accelerator.register_for_checkpointing(*checkpointed)

    @property
    def checkpoint_folder(self) -> Path:
        """Where checkpoints are written."""
        return self.output_dir / "checkpoints"

    def run_to_the_end(self, model: PreTrainedModel, resume_from: str | None = None) -> None:
        """Runs all stages and exports the last model.

        Args:
            model (`PreTrainedModel`): the model.
            resume_from (`str`, *optional*): a checkpoint, or `"latest"`, which starts anew where there is none.

        Raises:
            FileNotFoundError: if a named checkpoint is not there or not whole.
            ValueError: as `run`.
        """
        checkpoint = None
        if resume_from:
            checkpoint = find_checkpoint(resume_from, self.checkpoint_folder)
            found = f"Resuming from {checkpoint}." if checkpoint else "No checkpoint yet: starting anew."
            self.accelerator.print(found)
        self.finish(self.run(model, checkpoint))
        self.accelerator.end_training()

    def run(self, model: PreTrainedModel, checkpoint: Path | None = None) -> PreTrainedModel:
        """Runs all stages, or what is left of them after a checkpoint, and returns the model.

        Raises:
            ValueError: if the checkpoint's run had another recipe; if a new run would mix its checkpoints with others.
        """
        if checkpoint:
            state = read_state(checkpoint)
            require_same_recipe(state, self.state.recipe)
            self.state = state
        elif list_checkpoints(self.checkpoint_folder):
            raise ValueError(
                f"{self.checkpoint_folder} holds checkpoints of an earlier run: go on with it "
                "(--resume_from_checkpoint latest), remove them, or choose another `training.output_dir`."
            )
        elif self.untrained_counts:
            self._judge(model)
        for number in range(self.state.stage, len(self.settings.stages)):
            model = self._run_stage(model, self.settings.stages[number], checkpoint)
            self.state.stage, self.state.epoch, checkpoint = number + 1, 0, None
        return model

    def _run_stage(self, model: PreTrainedModel, stage: StageRecipe, checkpoint: Path | None) -> PreTrainedModel:
        choose_trainable(model, stage.trainable)
        if self.before_stage:
            self.before_stage(model, stage)
        wrapped, optimizer, loader, scheduler = self._prepare(model, stage)
        if checkpoint:
            self.accelerator.load_state(str(checkpoint))
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
        """A stage has its own optimiser, schedule and order of the data."""
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
        updates_an_epoch = math.ceil(len(loader) / settings.gradient_accumulation_steps)
        scheduler = make_schedule(optimizer, settings, stage, updates_an_epoch)
        wrapped.train()
        return wrapped, optimizer, loader, accelerator.prepare(scheduler)

    def _make_loader(self) -> DataLoader:
        settings = self.settings
        shared = {"collate_fn": self.collator, "num_workers": settings.num_workers}
        # Its own generator: the order must depend neither on what else draws numbers nor on the process.
        shared["generator"] = torch.Generator().manual_seed(settings.seed)
        if self.batch_sampler is not None:
            return DataLoader(self.dataset, batch_sampler=self.batch_sampler, **shared)
        return DataLoader(self.dataset, settings.batch_size, shuffle=True, drop_last=True, **shared)

    def _run_epoch(self, wrapped, optimizer, scheduler, loader, epoch: int, last_batch: int, progress) -> None:
        accelerator, state = self.accelerator, self.state
        # Accelerate wraps a batch sampler and does not tell it the epoch.
        samplers = [] if self.batch_sampler is None else [self.batch_sampler]
        for shuffled in (loader, self.dataset, *samplers):
            shuffled.set_epoch(epoch + EPOCHS_OF_A_STAGE * state.stage)
        model = accelerator.unwrap_model(wrapped)
        # Counted before the loop: the state moves while it runs.
        batches = accelerator.skip_first_batches(loader, state.batch) if state.batch else loader
        for batch in batches:
            if state.batch >= last_batch and accelerator.sync_gradients:  # a stage may end within an epoch
                break
            with accelerator.accumulate(wrapped):
                losses = self.loss_of(wrapped, model, batch)
                accelerator.backward(losses["loss"])
                optimizer.step()
                optimizer.zero_grad()
            state.batch += 1
            progress.update()
            if accelerator.sync_gradients:
                scheduler.step()
                with torch.no_grad():
                    self.clean_up(model)
                state.update += 1
                self._log(losses, scheduler.get_last_lr()[0], progress)
                self._evaluate_and_save_on_time(model)

    def _log(self, losses: Losses, learning_rate: float, progress: tqdm) -> None:
        if self.state.update % self.settings.log_every == 0:
            figures = {name: loss.item() for name, loss in losses.items()}
            progress.set_postfix(loss=f"{figures['loss']:.3f}")
            self._record(figures | {"learning_rate": learning_rate})

    def _evaluate_and_save_on_time(self, model: PreTrainedModel) -> None:
        settings, update = self.settings, self.state.update
        if settings.eval_every and update % settings.eval_every == 0:
            self._evaluate(model)
        if settings.save_every and update % settings.save_every == 0:
            self._save()

    def _evaluate(self, model: PreTrainedModel) -> None:
        """Judges the model, and saves unless `save_every` says when."""
        self.state.evaluated = self.state.update
        self._judge(model)
        if not self.settings.save_every:
            self._save()

    def _judge(self, model: PreTrainedModel) -> None:
        """Evaluates, and exports the model if it is the best yet."""
        if self.accelerator.is_main_process:
            figures = self.evaluation(model)
            self._record({f"validation/{name}": value for name, value in figures.items()})
            if figures[self.primary_metric] > self.state.best:
                self.state.best = figures[self.primary_metric]
                self.export(model, "best")
        self.accelerator.wait_for_everyone()

    def _save(self) -> None:
        save_checkpoint(self.accelerator, self.state, self.checkpoint_folder)

    def _record(self, figures: dict[str, float]) -> None:
        self.state.history.append({"update": self.state.update, **figures})
        self.accelerator.log(figures, step=self.state.update)

    def export(self, model: PreTrainedModel, name: str) -> None:
        """Writes model and processor, where there is one, to `output_dir/name`, a folder for `from_pretrained`."""
        with folder_written_aside(self.output_dir / name, replace=True) as aside:
            model.save_pretrained(aside)
            if self.processor is not None:
                self.processor.save_pretrained(aside)

    def finish(self, model: PreTrainedModel) -> None:
        """Exports the last model and writes `results.json`: the recipe, the best figure, the run's history."""
        if self.accelerator.is_main_process:
            self.export(model, "last")
            results = {"recipe": self.state.recipe, f"best_{self.primary_metric}": self.state.best}
            write_json(results | {"history": self.state.history}, self.output_dir / "results.json")
        self.accelerator.wait_for_everyone()
