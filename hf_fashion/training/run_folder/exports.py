"""What a run leaves for others: models that `from_pretrained` loads, with their cards, and `results.json`."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from accelerate import Accelerator
from accelerate.utils import gather_object
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ...files import folder_written_aside, write_json
from ...hub.cards.facts import CorpusFacts, RunFacts
from ...hub.cards.hardware import describe_hardware, describe_versions
from ...hub.cards.writing import write_run_card
from ...hub.sentence_transformers_files import write_sentence_transformers_files
from ..adapters import save_merged
from .checkpoints import RunState
from .output_folder import is_of_folder


if TYPE_CHECKING:
    from peft import PeftModel


class RunExports:
    """Export the models of a run to its output folder.

    Args:
        accelerator (`Accelerator`): devices, precision and processes, which the cards tell.
        output_dir (`Path`): of the run.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): exported with the model.
        corpus (`CorpusFacts`, *optional*): what the cards tell about the data.
        adapter (`PeftModel`, *optional*): of the model: exports are then merged models, and hold the adapter in
            `adapter/`.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        output_dir: Path,
        processor: ProcessorMixin | BaseImageProcessor | None = None,
        corpus: CorpusFacts | None = None,
        adapter: "PeftModel | None" = None,
    ):
        self.accelerator, self.output_dir = accelerator, output_dir
        self.processor, self.corpus, self.adapter = processor, corpus, adapter

    def write(self, model: PreTrainedModel, name: str, state: RunState) -> None:
        """Write the model, the processor if there is one, and the card to a folder for `from_pretrained`.

        With a processor there are the files for sentence-transformers too.

        Args:
            model (`PreTrainedModel`): the model, unwrapped.
            name (`str`): name of the folder in `output_dir`.
            state (`RunState`): how far the run has come, for the card.
        """
        with folder_written_aside(self.output_dir / name, replace=True) as aside:
            if self.adapter is None:
                model.save_pretrained(aside)
            else:
                model = save_merged(self.adapter, aside)
            if self.processor is not None:
                self.processor.save_pretrained(aside)
                write_sentence_transformers_files(model.config, aside)
            write_run_card(aside, self.output_dir / name, self._facts(model, state))

    def take_over_best(self, checkpoint: Path) -> bool:
        """Return whether a checkpoint's run has a best model; copy it here if that run has another folder.

        Args:
            checkpoint (`Path`): where this run resumes. All processes must ask; the main one looks and copies.
        """
        run = checkpoint.resolve().parent.parent
        is_there = (run / "best").is_dir() and is_of_folder(checkpoint, run)
        is_elsewhere = not is_of_folder(checkpoint, self.output_dir)
        if is_there and is_elsewhere and self.accelerator.is_main_process:
            with folder_written_aside(self.output_dir / "best", replace=True) as aside:
                shutil.copytree(run / "best", aside, dirs_exist_ok=True)
        return gather_object([is_there])[0]

    def finish(self, model: PreTrainedModel, state: RunState, primary_metric: str) -> None:
        """Export the last model, write `results.json` (the recipe, the best metric, the run's history), and say so.

        Args:
            model (`PreTrainedModel`): the model, unwrapped.
            state (`RunState`): of the finished run.
            primary_metric (`str`): name of `state.best`.
        """
        self.write(model, "last", state)
        results = {"recipe": state.recipe, f"best_{primary_metric}": state.best, "history": state.history}
        write_json(results, self.output_dir / "results.json")
        print(f"saved: the best model in {self.output_dir / 'best'}, the last one in {self.output_dir / 'last'}")

    def _facts(self, model: PreTrainedModel, state: RunState) -> RunFacts:
        accelerator = self.accelerator
        hardware = describe_hardware(accelerator.device, accelerator.num_processes, accelerator.mixed_precision)
        size, seconds, versions = model.num_parameters(), round(state.seconds, 1), describe_versions()
        return RunFacts(
            state.recipe, self.corpus, state.update, state.history, size, hardware, seconds, versions=versions
        )
