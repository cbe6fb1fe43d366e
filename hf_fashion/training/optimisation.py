"""What a stage trains and how: attention, activations, parameters, optimiser, learning rates; whether it diverges."""

import logging
import math
from itertools import chain
from typing import Any

import torch
from accelerate import Accelerator
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel, get_cosine_schedule_with_warmup

from .adapters import added_by_adapter
from .recipe import StageRecipe, TrainingRecipe


logger = logging.getLogger(__name__)

LOSSES_READ_AT_ONCE = 10
DIVERGED = (
    ": the training has diverged. Lower the learning rates of `training.stages`, or warm up for longer "
    "(`training.warmup_steps`), and start again in another `training.output_dir`; the checkpoints and `best/` are of "
    "the updates before."
)


def choose_attention(model: PreTrainedModel, accelerator: Accelerator) -> None:
    """Take eager attention on a CPU in bfloat16, where the fused one takes up to three times as long for titles and
    small photos (benchmarks/attention_speed.py). Saved models do not keep it.

    Args:
        model (`PreTrainedModel`): the model.
        accelerator (`Accelerator`): device and precision of the run.
    """
    if accelerator.device.type == "cpu" and accelerator.mixed_precision == "bf16":
        model.set_attn_implementation("eager")


def recompute_activations(model: PreTrainedModel, settings: TrainingRecipe) -> None:
    """Enable gradient checkpointing of a model if the recipe asks for it.

    Args:
        model (`PreTrainedModel`): the model, or the part of it that is trained.
        settings (`TrainingRecipe`): `gradient_checkpointing`.

    Raises:
        ValueError: the model does not support it.
    """
    if not settings.gradient_checkpointing:
        return
    if not model.supports_gradient_checkpointing:
        raise ValueError(
            f"`training.gradient_checkpointing` must be false: a {type(model).__name__} of these parts has no layers "
            "whose activations can be recomputed."
        )
    model.gradient_checkpointing_enable()


def choose_trainable(model: PreTrainedModel, stage: StageRecipe) -> None:
    """Freeze the parameters that a stage does not train, so that no gradient of theirs is computed.

    Args:
        model (`PreTrainedModel`): the model; of one with an adapter only what the adapter has added is trained.
        stage (`StageRecipe`): trains all parameters, or with `trainable` `"new"` those of the model's `new_modules`;
            none whose learning rate is 0.
    """
    added, rates = added_by_adapter(model), _rates(stage)
    for name, parameter in model.named_parameters():
        chosen = stage.trainable == "all" or name.startswith(tuple(model.new_modules))
        parameter.requires_grad = chosen and (not added or name in added) and rates[_key(name, rates)] > 0


def make_optimizer(model: PreTrainedModel, settings: TrainingRecipe, stage: StageRecipe) -> torch.optim.Adam:
    """Return Adam over the trainable parameters, in the groups of [`group_parameters`].

    Args:
        model (`PreTrainedModel`): after [`choose_trainable`].
        settings (`TrainingRecipe`): betas and weight decay.
        stage (`StageRecipe`): learning rates.

    Raises:
        ValueError: as [`group_parameters`].
    """
    groups, betas = group_parameters(model, stage), tuple(settings.adam_betas)
    return torch.optim.Adam(
        groups, lr=stage.learning_rate, betas=betas, weight_decay=settings.weight_decay, fused=True
    )


def group_parameters(model: PreTrainedModel, stage: StageRecipe) -> list[dict[str, Any]]:
    """Return the trainable parameters with their learning rates, a group for each key of `stage.learning_rates`.

    Args:
        model (`PreTrainedModel`): after [`choose_trainable`]; the names of its parameters decide the groups.
        stage (`StageRecipe`): learning rates.

    Raises:
        ValueError: if nothing is trained, or a key of `stage.learning_rates` begins the name of no parameter, or of
            none that is trainable where it is more than 0.
    """
    rates = _rates(stage)
    groups: dict[str, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(_key(name, rates), []).append(parameter)
    names = [name for name, _ in model.named_parameters()]
    for prefix, rate in stage.learning_rates.items():
        if prefix not in groups and (rate or not any(name.startswith(prefix) for name in names)):
            modules = ", ".join(dict.fromkeys(name.split(".")[0] for name in names))
            raise ValueError(
                f"`learning_rates` of stage {stage.name!r} names {prefix!r}, but no {'trainable ' if rate else ''}"
                f"parameter's name begins with it; the model's parts are {modules}."
            )
    if not groups:
        raise ValueError(
            f"stage {stage.name!r} trains nothing: `trainable` is {stage.trainable!r}, and all learning rates of such "
            "parameters are 0, or there are none."
        )
    return [{"params": group, "lr": rates[prefix]} for prefix, group in groups.items()]


def _rates(stage: StageRecipe) -> dict[str, float]:
    """Learning rate by the prefix of parameters' names; the empty one fits all."""
    return {"": stage.learning_rate, **stage.learning_rates}


def _key(name: str, rates: dict[str, float]) -> str:
    return max((prefix for prefix in rates if name.startswith(prefix)), key=len)


def make_schedule(
    optimizer: torch.optim.Optimizer, settings: TrainingRecipe, stage: StageRecipe, updates_an_epoch: int
) -> LambdaLR:
    """Return a schedule: warm-up and half a cosine, or with `stage.decay` a factor every `decay_every` epochs.

    Args:
        optimizer (`torch.optim.Optimizer`): the schedule scales the learning rates of all its groups.
        settings (`TrainingRecipe`): `warmup_steps`; a stage of less than twice that number has a shorter warm-up,
            which is logged.
        stage (`StageRecipe`): length and decay.
        updates_an_epoch (`int`): updates in a whole epoch.
    """
    if stage.decay is not None:
        steps = max(1, round(stage.decay_every * updates_an_epoch))
        return LambdaLR(optimizer, lambda update: stage.decay ** (update // steps))
    updates = math.ceil(stage.epochs * updates_an_epoch)
    warmup = min(settings.warmup_steps, updates // 2)
    if warmup < settings.warmup_steps:
        logger.warning(
            "Stage %r has %d updates: its warm-up takes %d of them, not `training.warmup_steps` %d.",
            *(stage.name, updates, warmup, settings.warmup_steps),
        )
    return get_cosine_schedule_with_warmup(optimizer, warmup, updates)


class DivergenceGuard:
    """Stop a training whose losses or weights are no longer finite, before they are evaluated, exported or saved.

    A GPU computes on while losses wait: they are read `LOSSES_READ_AT_ONCE` at a time.

    Args:
        patience (`int`): how many losses in a row may be infinite or NaN. In float16 some may: Accelerate leaves such
            an update out, and scales the gradients down.
    """

    def __init__(self, patience: int):
        self.patience = patience
        self._unread: list[tuple[int, torch.Tensor]] = []
        self._in_row = 0

    def watch(self, loss: torch.Tensor, update: int) -> None:
        """Take note of a loss.

        Args:
            loss (`torch.Tensor`): a scalar.
            update (`int`): number of the update that it is for.

        Raises:
            ValueError: this or an earlier loss is one too many that is not finite.
        """
        self._unread.append((update, loss.detach()))
        if len(self._unread) == LOSSES_READ_AT_ONCE:
            self._read()

    def check(self, model: torch.nn.Module) -> None:
        """Check the losses so far, the weights and the buffers, such as the statistics of batch norms.

        Args:
            model (`torch.nn.Module`): the model.

        Raises:
            ValueError: one of them is not finite.
        """
        self._read()
        tensors = dict(chain(model.named_parameters(), model.named_buffers()))
        finite = {name: tensor.isfinite().all() for name, tensor in tensors.items() if tensor.is_floating_point()}
        if not torch.stack(list(finite.values())).all():  # a GPU is asked once
            name = next(name for name, is_finite in finite.items() if not is_finite)
            raise ValueError(f"the weights {name} are no longer finite numbers{DIVERGED}")

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        values = torch.stack([loss for _, loss in unread]).tolist() if unread else []
        for (update, _), loss in zip(unread, values, strict=True):
            self._in_row = 0 if math.isfinite(loss) else self._in_row + 1
            if self._in_row > self.patience:
                raise ValueError(f"the loss of update {update:,} is {loss}{DIVERGED}")
