"""Options of `accelerate launch` for what a recipe leaves out; contradictions are errors."""

import logging
import os
from typing import Any

import psutil
from accelerate.commands.launch import launch_command_parser

from .recipe import PRECISIONS, TrainingRecipe


logger = logging.getLogger(__name__)

# Environment variables by which the launcher asks for models that are split over processes.
SHARDED = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "parallelism_config",
}


def take_over_launcher(settings: TrainingRecipe) -> None:
    """Set the keys that a recipe leaves to the launcher: `mixed_precision`, `gradient_accumulation_steps`.

    Without a launcher, or where it says nothing, they are `"no"` and 1.

    Args:
        settings (`TrainingRecipe`): of the run; changed in place, so that `results.json` and checkpoints say what ran.

    Raises:
        ValueError: if recipe and launcher contradict each other, or the launcher asks for something that the scripts
            do not have.
    """
    _refuse_sharding()
    launched = launcher_flags()
    precision = launched.get("mixed_precision") or os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    # The launcher's "no" is also its default: only as a flag does it contradict a recipe.
    says_precision = precision != "no" or launched.get("mixed_precision") is not None
    steps = launched.get("gradient_accumulation_steps") or os.environ.get("ACCELERATE_GRADIENT_ACCUMULATION_STEPS")
    _take_over(settings, "mixed_precision", precision if says_precision else None, "no")
    _take_over(settings, "gradient_accumulation_steps", int(steps) if steps else None, 1)
    if settings.mixed_precision not in PRECISIONS:
        raise ValueError(
            f"`mixed_precision` of the launcher must be one of {', '.join(PRECISIONS)}; got {precision!r}."
        )


def warn_of_processes(number: int) -> None:
    """Warn if `accelerate launch` was asked for another number of processes than it has started.

    Args:
        number (`int`): of processes that run.
    """
    asked = launcher_flags().get("num_processes")
    if asked and asked != number:
        logger.warning(
            "`accelerate launch` was asked for %d processes and has started %d, as it does on a CPU: "
            "`torchrun --nproc_per_node %d` starts as many.",
            *(asked, number, asked),
        )


def launcher_flags() -> dict[str, Any]:
    """Return the options of the `accelerate launch` that started this process; empty if none did.

    The launcher hands `--gradient_accumulation_steps` on for DeepSpeed only, so they are read from its command line.
    """
    words = _command_of_parent()
    start = next((number for number, word in enumerate(words) if _names_launcher(words, number)), None)
    if start is None:
        return {}
    parsed, _ = launch_command_parser().parse_known_args(words[start + 1 :])
    return vars(parsed)


def _names_launcher(words: list[str], number: int) -> bool:
    before, word = words[number - 1] if number else "", os.path.basename(words[number])
    return (
        (word == "launch" and os.path.basename(before) in ("accelerate", "accelerate.exe"))
        or word in ("accelerate-launch", "accelerate-launch.exe")
        or (before == "-m" and word == "accelerate.commands.launch")
    )


def _command_of_parent() -> list[str]:
    parent = psutil.Process().parent()
    try:
        return parent.cmdline() if parent else []
    except psutil.Error:  # it has just ended, or belongs to somebody else
        return []


def _take_over(settings: TrainingRecipe, name: str, launched: Any, default: Any) -> None:
    own = getattr(settings, name)
    if own is not None and launched is not None and own != launched:
        raise ValueError(
            f"`training.{name}` of the recipe is {own}, `accelerate launch` says {launched}: leave one of them out, "
            "or make them equal."
        )
    setattr(settings, name, next(value for value in (own, launched, default) if value is not None))


def _refuse_sharding() -> None:
    asked = [name for variable, name in SHARDED.items() if os.environ.get(variable, "false").lower() == "true"]
    if asked:
        raise ValueError(
            f"`accelerate launch` asks for {', '.join(asked)}, which splits a model over processes: the training "
            "scripts evaluate, export and checkpoint whole models. Launch them with --multi_gpu, or in one process."
        )
