"""A corpus of drawn photos and a recipe that trains on it in seconds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from datasets import Dataset, DatasetDict, Image
from PIL import Image as PILImage

from tests.warm_processes import WarmProcess, torchrun


REPOSITORY = Path(__file__).resolve().parents[2]
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 180, 30), "black": (10, 10, 10)}


def tiny_corpus(folder: Path, train_rows: int = 24, validation_rows: int = 6) -> Path:
    """Saves plain coloured photos with captions and two tags, one of them missing in every third row."""
    return save_corpus(folder, _rows, train_rows, validation_rows)


def save_corpus(folder: Path, rows_of: Callable[[range], Dataset], train_rows: int, validation_rows: int) -> Path:
    """Saves rows by their numbers, the first ones to train on."""
    numbers = range(train_rows + validation_rows)
    splits = {"train": rows_of(numbers[:train_rows]), "validation": rows_of(numbers[train_rows:])}
    DatasetDict(splits).save_to_disk(folder / "corpus")
    return folder / "corpus"


def _rows(numbers: range) -> Dataset:
    colours = [list(COLOURS)[number % 4] for number in numbers]
    photos = [PILImage.new("RGB", (16, 16), (*COLOURS[c][:2], n)) for c, n in zip(colours, numbers, strict=True)]
    columns = {
        "image": photos,
        "title": [f"{colour} dress {number}" for colour, number in zip(colours, numbers, strict=True)],
        "colour": colours,
        "brand": [None if number % 3 == 0 else f"brand {number % 2}" for number in numbers],
    }
    return Dataset.from_dict(columns).cast_column("image", Image())


def tiny_recipe(folder: Path, **training) -> Path:
    """Writes a recipe for `tiny_corpus` and returns its path."""
    (folder / "map.yaml").write_text(
        yaml.safe_dump({"caption": "title", "tags": {"colour": "colour", "brand": "brand"}}, sort_keys=False)
    )
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    recipe = {
        "model": {
            "vocab_size": 600,
            "config": {
                "projection_dim": 8,
                "text_config": tower,
                "vision_config": tower | {"image_size": 16, "patch_size": 8},
            },
        },
        "data": {
            "corpus": str(folder / "corpus"),
            "column_map": str(folder / "map.yaml"),
            "cache_folder": str(folder / "photos"),
        },
        "training": {
            "output_dir": str(folder / "run"),
            "batch_size": 4,
            "warmup_steps": 2,
            "log_every": 1,
            "stages": [{"epochs": 1, "learning_rate": 1e-3}],
        }
        | training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"


def start(
    recipe: Path, *arguments: str, processes: int = 1, model: str = "e2", warm: bool = True
) -> WarmProcess | subprocess.Popen:
    """Starts a training as a user would; if not `warm`, in processes that import the libraries themselves."""
    command = ["train", model, str(recipe), *arguments]
    variables = {"PYTHONPATH": str(REPOSITORY), "ACCELERATE_USE_CPU": "true"}
    if warm:
        arguments = ["-m", "hf_fashion", *command]
        return WarmProcess(arguments if processes == 1 else torchrun(*arguments), recipe.parent, variables)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    started = [sys.executable, *(launcher if processes > 1 else []), "-m", "hf_fashion", *command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(started, env=os.environ | variables, cwd=recipe.parent, **pipes)


def train(recipe: Path, *arguments: str, processes: int = 1, model: str = "e2", warm: bool = True) -> str:
    """Trains to the end and returns what was printed."""
    process = start(recipe, *arguments, processes=processes, model=model, warm=warm)
    printed = "".join(filter(None, process.communicate(timeout=180)))
    assert process.returncode == 0, printed
    return printed


def wait_for(process: WarmProcess | subprocess.Popen, run: Path, update: int) -> None:
    """Waits until a run has saved a checkpoint of this update or a later one."""
    deadline = time.monotonic() + 120
    while not any(path.name >= f"update-{update:08d}" for path in (run / "checkpoints").glob("update-*")):
        assert process.poll() is None and time.monotonic() < deadline, "the run ended before it could be stopped"
        time.sleep(0.01)


def kill_at(process: WarmProcess | subprocess.Popen, run: Path, update: int) -> None:
    """Kills a run without warning once it has saved a checkpoint of this update or a later one."""
    wait_for(process, run, update)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "results.json").exists()


def history(run: Path) -> list[dict]:
    """The losses and evaluations that a finished run recorded."""
    return json.loads((run / "results.json").read_text())["history"]
