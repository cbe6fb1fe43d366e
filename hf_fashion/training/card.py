"""Write the card of a model that a run exports."""

from pathlib import Path

from accelerate import Accelerator
from transformers import PreTrainedModel

from ..cards.card import CARD
from ..hub.cards.facts import CardFacts, CorpusFacts, RunFacts
from ..hub.cards.hardware import describe_hardware, describe_versions
from ..hub.cards.writing import has_card, write_card
from .checkpoints import RunState


def write_run_card(
    folder: Path,
    final: Path,
    model: PreTrainedModel,
    state: RunState,
    accelerator: Accelerator,
    corpus: CorpusFacts | None,
) -> None:
    """Write `card.json`, `README.md` and its pictures into the folder of an exported model.

    What people wrote into the card of the folder that this one replaces is kept. Models of other kinds get no card.

    Args:
        folder (`Path`): of the model; written aside.
        final (`Path`): the name that it gets.
        model (`PreTrainedModel`): the model.
        state (`RunState`): of the run.
        accelerator (`Accelerator`): devices, precision, processes.
        corpus (`CorpusFacts`, *optional*): what the run learns from.
    """
    if not has_card(folder):
        return
    run = RunFacts(
        state.recipe,
        corpus,
        state.update,
        state.history,
        model.num_parameters(),
        describe_hardware(accelerator.device, accelerator.num_processes, accelerator.mixed_precision),
        round(state.seconds, 1),
        describe_versions(),
    )
    CardFacts(**state.recipe.get("card", {})).with_run(run).write(folder)
    old = final / CARD
    write_card(folder, str(final), old.read_text(encoding="utf-8") if old.is_file() else None)
