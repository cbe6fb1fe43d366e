"""Train and evaluate the runs of a table by the package's scripts, resumably, each once."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import yaml

from hf_fashion.training.launcher import take_over_launcher
from hf_fashion.training.recipe_file import RecipeFile
from hf_fashion.training.run_folder.checkpoints import RunState
from hf_fashion.training.run_folder.resuming import require_same_recipe


@dataclass(frozen=True)
class Run:
    """A run: its folder, recipe and evaluation.

    Args:
        folder (`Path`): the recipe's `training.output_dir`.
        recipe (`RecipeFile`): how to train.
        script (`str`): trains by a recipe.
        evaluation (`list[str]`, *optional*): script and arguments that write `evaluation.json`. Default: only
            train.
    """

    folder: Path
    recipe: RecipeFile
    script: str
    evaluation: list[str] | None = None

    def finish(self) -> str:
        """Train and evaluate what is missing. Return a line about the result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        take_over_launcher(self.recipe.training)  # as the run does, whose results hold what it has set
        if (self.folder / "results.json").exists():
            trained = json.loads((self.folder / "results.json").read_text())["recipe"]
            try:
                require_same_recipe(RunState(recipe=trained), self.recipe.to_dict())
            except ValueError as error:
                return f"{self.folder}: {error}"
        (self.folder / "recipe.yaml").write_text(yaml.safe_dump(self.recipe.to_dict()))
        commands = {
            "results.json": [self.script, str(self.folder / "recipe.yaml"), "--resume_from_checkpoint", "latest"],
            "evaluation.json": self.evaluation,
        }
        for product, command in commands.items():
            if command and not (self.folder / product).exists():
                with open(self.folder / "log.txt", "a") as log:
                    finished = subprocess.run([sys.executable, *command], stdout=log, stderr=subprocess.STDOUT)
                if finished.returncode:
                    return f"{self.folder}: failed, see log.txt"
        return f"{self.folder}: done"


def run_all(waves: list[list[Run]], workers: int, after_each: Callable[[], None]) -> None:
    """Finish all runs of a wave before the next one begins, as later runs start from earlier ones.

    Args:
        waves (`list[list[Run]]`): a run in two waves is finished in the first.
        workers (`int`): runs at a time, one thread each.
        after_each (`Callable`): called when a run has ended, to write the results so far.
    """
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    with ThreadPoolExecutor(workers) as pool:
        for wave in waves:
            for ended in as_completed([pool.submit(run.finish) for run in wave]):
                print(ended.result(), flush=True)
                after_each()


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every table of runs."""
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--workers", type=int, default=1, help="runs at a time, one thread each")
    parser.add_argument("--table", action="store_true", help="only print the results file")


def gather(rows: list[str], folder_of: Callable[[str, str], Path], read: Callable[[dict], dict], known: Path) -> dict:
    """Return row -> seed -> metrics: of every evaluated run here, else from the results file.

    Args:
        rows (`list[str]`): in the order of the table.
        folder_of (`Callable`): `(row, seed) -> folder`, the seed as text.
        read (`Callable`): the metrics to keep of an `evaluation.json`.
        known (`Path`): the results file.
    """
    results = json.loads(known.read_text()) if known.exists() else {}
    results = {row: results[row] for row in rows if row in results}
    for row in rows:
        pattern = folder_of(row, "[0-9]*")
        for path in sorted(pattern.parent.glob(f"{pattern.name}/evaluation.json")):
            seed = path.parent.name.rsplit("-", 1)[1]
            results.setdefault(row, {})[seed] = read(json.loads(path.read_text()))
    return {row: dict(sorted(results[row].items())) for row in rows if row in results}


def spread(values: list[float]) -> str:
    """Return mean and standard deviation over seeds, in percent."""
    deviation = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{deviation}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table for the README."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
