"""The accelerator of a run: devices, precision, processes and trackers."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.tracking import get_available_trackers
from accelerate.utils import DataLoaderConfiguration, LoggerType, get_cpu_distributed_information
from transformers import PreTrainedModel

from ..embedding.device import is_emulated
from .launcher import take_over_launcher, warn_of_processes
from .recipe import TrainingRecipe


logger = logging.getLogger(__name__)

# Accelerate shuffles by seed + epoch. More than any epoch that the loop counts, so that each seed has its own order.
SEED_STRIDE = 1_000_003


def make_accelerator(settings: TrainingRecipe) -> Accelerator:
    """Return the accelerator that a training needs, with the trackers of a recipe.

    Args:
        settings (`TrainingRecipe`): precision, accumulation, seed, trackers; what it leaves to the launcher is set.

    Raises:
        ImportError: if a tracker is not installed.
        ValueError: if recipe and launcher contradict each other, the launcher asks for FSDP, DeepSpeed or the like,
            the processes that it has started do not train together, or the precision is for another device.
    """
    _require_trackers(settings.trackers)
    take_over_launcher(settings)
    launched = get_cpu_distributed_information().world_size  # by their environment, for GPUs too
    accelerator = Accelerator(
        # Without a GPU and without ACCELERATE_USE_CPU, Accelerate takes each launched process for the only one.
        cpu=launched > 1 and not torch.accelerator.is_available(),
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
            # The other processes wait while the main one checks the corpus and resizes the photos.
            InitProcessGroupKwargs(timeout=timedelta(hours=6)),
        ],
    )
    _require_together(accelerator.num_processes, launched)
    if accelerator.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise ValueError("`mixed_precision` fp16 needs a GPU, and this run has a CPU: choose bf16 or no.")
    if accelerator.mixed_precision == "bf16" and is_emulated(torch.bfloat16, accelerator.device):
        logger.warning(
            "`mixed_precision` is bf16, and this processor has no instructions for it: training may take ten times as "
            "long as with `training.mixed_precision=no`."
        )
    warn_of_processes(accelerator.num_processes)
    if settings.trackers:
        accelerator.init_trackers("hf_fashion", config={"seed": settings.seed, "batch_size": settings.batch_size})
    return accelerator


@contextmanager
def without_autocast(model: PreTrainedModel) -> Iterator[None]:
    """Let a prepared model compute in the precision of its weights within the block, as the saved one does.

    Args:
        model (`PreTrainedModel`): the model, unwrapped: Accelerate puts autocast around the `forward` of this object,
            and DDP around the object.
    """
    autocast = vars(model).pop("forward", None)
    try:
        yield
    finally:
        if autocast is not None:
            model.forward = autocast


def _require_together(number: int, launched: int) -> None:
    """Raise `ValueError` if each of several launched processes would train a model of its own."""
    if number < launched:
        raise ValueError(
            f"{launched} processes were launched, but Accelerate joins {number} of them on this device: set "
            "ACCELERATE_USE_CPU=true to train on CPUs, or launch one process."
        )


def _require_trackers(names: Sequence[str]) -> None:
    """Raise `ImportError` if a tracker is not installed: Accelerate would leave it out silently."""
    missing = set(names) & {tracker.value for tracker in set(LoggerType) - {LoggerType.ALL, *get_available_trackers()}}
    for name in sorted(missing):
        package = '"hf-fashion[train]"' if name == "tensorboard" else name
        raise ImportError(f"`training.trackers` names {name}, which is not installed: pip install {package}")
