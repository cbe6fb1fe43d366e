"""Train and measure all models at 224 px on one GPU, with nothing frozen, as far as a budget of seconds allows.

    PYTHONPATH=. python benchmarks/pack_gpu.py          # packs build/gpu, and prints the calls of the GPU machine
    PYTHONPATH=. python benchmarks/gpu.py               # runs what is not done yet
    PYTHONPATH=. python benchmarks/gpu.py --table       # only the tables of the results

It needs torch, transformers and what `pack_gpu.py` has packed, and no `datasets`. A unit is an E2, a CLIP-FT, or an
attribute model with its first stage and the re-rankers over each; the smallest come first. Each finished unit is
written at once, with its seconds, to `seed-<seed>.json`; a second call goes on where the first has stopped. On a GPU
the seeds run side by side, one process each: small models leave it idle between their kernels.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from functools import cache, partial
from pathlib import Path

import torch
from transformers.utils import logging

from benchmarks.gpu_batch.attribute_units import CHAINS, run_chain, run_untrained
from benchmarks.gpu_batch.e2_units import TEXT_ROWS, run_text_row
from benchmarks.gpu_batch.optimising import Clock, OutOfTime
from benchmarks.gpu_batch.packed import Packed
from benchmarks.gpu_batch.starts import FROZEN, RANDOM
from benchmarks.gpu_batch.tables import tables
from hf_fashion.files import write_json


BACKBONES = {
    "cnn": "CNN for the whole photo",
    "vision": "DINOv2 everywhere",
    FROZEN: "DINOv2 everywhere, first layers frozen",
    RANDOM: "CNN from random weights",
}


def units_of(packed: Packed) -> dict[str, tuple]:
    """Return name of a unit -> its corpus and what runs it, the smallest first."""
    facts = {
        name: json.loads(packed.path(f"{name}.json").read_text(encoding="utf-8")) for name in packed.index["corpora"]
    }
    attributes = {
        backbone: {
            f"{name}/{title}/{chain}": (name, partial(_chain, stages, backbone))
            for name in facts
            for chain, stages in CHAINS.items()
            if backbone != RANDOM or chain == "asen"
        }
        | {f"{name}/{title}/untrained": (name, partial(_untrained, backbone)) for name in facts if backbone != FROZEN}
        for backbone, title in BACKBONES.items()
    }
    texts = {
        f"{name}/{row}": (name, partial(_text_row, row))
        for name in facts
        if facts[name]["entities"]
        for row in TEXT_ROWS
    }
    small = {unit: what for unit, what in attributes["cnn"].items() if not facts[what[0]]["entities"]}
    frozen = attributes[FROZEN] if packed.settings.frozen_region_layers else {}
    return small | texts | attributes["cnn"] | attributes["vision"] | frozen | attributes[RANDOM]


def _chain(stages, backbone, packed, corpus, seed, clock) -> dict[str, dict[str, float]]:
    return run_chain(packed, corpus, stages, backbone, seed, clock)


def _untrained(backbone, packed, corpus, seed, clock) -> dict[str, dict[str, float]]:
    return {"untrained": run_untrained(packed, corpus, backbone, seed)}


def _text_row(row, packed, corpus, seed, clock) -> dict[str, dict[str, float]]:
    return {row.rpartition("/")[2]: run_text_row(packed, corpus, TEXT_ROWS[row], seed, clock)}


def run_seed(packed: Packed, results: Path, seed: int, chosen: list[str], clock: Clock) -> bool:
    """Run the units of a seed that are not done; return whether all of them are."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    units = {name: what for name, what in units_of(packed).items() if any(part in name for part in chosen)}
    path = results / f"seed-{seed}.json"
    done = read_results(path, packed)
    load = cache(partial(packed.corpus, device=device))
    for name, (corpus, run) in units.items():
        if name in done["units"]:
            continue
        started = time.monotonic()
        try:
            clock.check()
            rows = run(packed, load(corpus), seed, clock)
        except OutOfTime:
            break
        except Exception as error:  # the others may still be worth their time
            traceback.print_exc()
            done["failed"][name] = f"{type(error).__name__}: {error}"
        else:
            done["failed"].pop(name, None)
            done["units"][name] = {"seconds": round(time.monotonic() - started, 1), "rows": rows}
        write_json(done, path)
        print(f"seed {seed}: {name}: {done['failed'].get(name) or done['units'][name]['seconds']}", flush=True)
    left = [name for name in units if name not in done["units"]]
    print(f"seed {seed}: {len(units) - len(left)} of {len(units)} units done; left: {left or 'none'}", flush=True)
    return not left


def read_results(path: Path, packed: Packed) -> dict:
    """Return the results so far.

    Raises:
        ValueError: they are of another packed folder.
    """
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    known = {"packed": packed.fingerprint, "device": device, "torch": torch.__version__, "units": {}, "failed": {}}
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
    if known["packed"] != packed.fingerprint:
        raise ValueError(f"{path} has results of another packed folder: move it away, or give another `--results`")
    return known


def run_side_by_side(arguments: argparse.Namespace, clock: Clock) -> list[bool]:
    """Run every seed in a process of its own; return of each whether it has done everything."""
    script = [sys.executable, __file__, "--packed", str(arguments.packed), "--results", str(arguments.results)]
    script += ["--only", *arguments.only, "--budget_s", str(clock.left_s), "--checked", "--seeds"]
    threads = str(max(1, os.cpu_count() // len(arguments.seeds)))
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    processes = [subprocess.Popen([*script, str(seed)], env=environment) for seed in arguments.seeds]
    return [process.wait() == 0 for process in processes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=Path, default=Path("build/gpu"), help="folder of pack_gpu.py")
    parser.add_argument("--results", type=Path, default=Path("build/gpu-results"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=[""], help="units with one of these in their name; default: all")
    parser.add_argument("--budget_s", type=float, default=480, help="seconds from the start of this program")
    parser.add_argument("--table", action="store_true", help="only print the tables of the results")
    parser.add_argument("--checked", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.table:
        print(tables(arguments.results))
        return
    logging.disable_progress_bar()
    clock, packed = Clock(arguments.budget_s), Packed(arguments.packed)
    if not arguments.checked:
        packed.check()
    if len(arguments.seeds) > 1 and torch.cuda.is_available():
        done = run_side_by_side(arguments, clock)
    else:
        done = [run_seed(packed, arguments.results, seed, arguments.only, clock) for seed in arguments.seeds]
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
