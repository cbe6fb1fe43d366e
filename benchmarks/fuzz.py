"""Give the package mutated inputs, as strangers may send them, and count how each case ends.

    PYTHONPATH=. python benchmarks/fuzz.py --cases 5000
    PYTHONPATH=. python benchmarks/fuzz.py --case filters 17

A case ends `whole` where the input was taken, and `refused` where it was refused with a sentence: an exception for bad
input that the package has raised, or Python itself for a file. Everything else is a fault: `foreign`, an error from
inside a dependency or of another type; `silent`, something was lost or changed without a word; `hang`, more than 10
seconds; `crash`, the process ended. Cases run one after the other in a process of their own with 8 GB of memory. The
kind and the number of a case are its seed: the second command shows the traceback of one.
"""

import argparse
import contextlib
import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.runs import markdown
from hf_fashion.files import write_json


HANG_LIMIT = 10  # seconds
START_LIMIT = 300  # seconds until a process has loaded the libraries
MEMORY = 8 * 2**30
ENDS = ("whole", "refused", "foreign", "silent", "hang", "crash")
FAULTS = ENDS[2:]
KINDS = (
    "photos",
    "configs",
    "safetensors",
    "manifests",
    "parquet",
    "feeds",
    "recipes",
    "filters",
    "queries",
    "saved_searches",
)
RESULTS = Path(__file__).parent / "results" / "fuzz.json"
PACKAGE = str(Path(__file__).resolve().parents[1] / "hf_fashion")
INPUT_ERRORS = (ValueError, OSError, ImportError, TypeError)


def end_of(error: BaseException) -> str:
    """Return how a case ended that has raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1].filename
    if isinstance(error, AssertionError) and frame.startswith(str(Path(__file__).parent)):
        return "silent"
    by_us = frame.startswith(PACKAGE) and isinstance(error, INPUT_ERRORS) and str(error).strip()
    by_python = isinstance(error, OSError) and "site-packages" not in frame and error.errno is not None
    return "refused" if by_us or by_python else "foreign"


def run_case(cases: Any, kind: str, number: int) -> dict[str, str]:
    """Run one case. Return its end, and the error if there was one."""
    from benchmarks import fuzz_cases

    shutil.rmtree(cases.work, ignore_errors=True)
    cases.work.mkdir(parents=True)
    try:
        fuzz_cases.KINDS[kind](cases, Random(f"{kind} {number}"))
    except BaseException as error:  # a panic of a library in Rust is no Exception
        lines = traceback.format_exception(error, limit=-3)
        return {
            "end": end_of(error),
            "error": f"{type(error).__name__}: {error}"[:300],
            "trace": "".join(lines)[-1500:],
        }
    return {"end": "whole"}


def work(folder: Path) -> None:
    """Run the cases that stdin names, a line each, and answer each with a line of JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as own:
        from benchmarks.fuzz_cases import Cases

        cases = Cases(folder, Path(own) / "case")
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            kind, number = line.split()
            print(json.dumps(run_case(cases, kind, int(number))), file=answers, flush=True)


class Worker:
    """A process that runs cases; it is started again after a hang or a crash."""

    def __init__(self, folder: Path):
        self.command = [sys.executable, __file__, "--work", str(folder)]
        self.process: subprocess.Popen | None = None

    def run(self, kind: str, number: int) -> dict[str, str]:
        """Run one case. Return its end."""
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(self.command, text=True, **pipes)
            if self._answer(START_LIMIT) != "ready\n":
                raise RuntimeError("the process with the cases does not start: run --case to see why")
        print(kind, number, file=self.process.stdin, flush=True)
        answer = self._answer(HANG_LIMIT)
        if answer:
            return json.loads(answer)
        self.close()
        return {"end": "hang" if answer is None else "crash"}

    def _answer(self, limit: float) -> str | None:
        """A line; an empty one where the process has ended, `None` where it does not answer in time."""
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        return self.process.stdout.readline() if ready else None

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def fuzz(folder: Path, kinds: list[str], cases: int) -> dict[str, Any]:
    """Run the cases of all kinds. Return kind -> number of each end, and what is known of each fault."""
    counts = {kind: Counter() for kind in kinds}
    faults, worker = [], Worker(folder)
    with contextlib.closing(worker):
        for place in range(cases):
            kind, number = kinds[place % len(kinds)], place // len(kinds)
            found = worker.run(kind, number)
            counts[kind][found["end"]] += 1
            if found["end"] in FAULTS:
                faults.append({"kind": kind, "number": number, **found})
                print(f"{found['end']}: --case {kind} {number}: {found.get('error', '')[:200]}", flush=True)
    return {"counts": {kind: dict(count) for kind, count in counts.items()}, "faults": faults}


def table(counts: dict[str, dict[str, int]]) -> str:
    """Return the table of the results, a row a kind."""
    rows = [
        [kind, str(sum(found.values())), *(str(found.get(end, 0)) for end in ENDS)] for kind, found in counts.items()
    ]
    sums = [str(sum(int(row[column]) for row in rows)) for column in range(1, len(ENDS) + 2)]
    return markdown(["kind", "cases", *ENDS], [*rows, ["all", *sums]])


def show_case(folder: Path, kind: str, number: int) -> None:
    """Run one case in this process and print its traceback."""
    from benchmarks.fuzz_cases import Cases

    found = run_case(Cases(folder, folder / "case"), kind, number)
    print(found.pop("trace", ""), found)


def main() -> int:
    """Run the cases, print the table and write the results. Return 1 where there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5_000, help="of all kinds together")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--case", nargs=2, metavar=("KIND", "NUMBER"), help="only this one, with its traceback")
    parser.add_argument("--table", action="store_true", help="only print the results file")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(RESULTS.read_text())["counts"]))
        return 0
    if arguments.work:
        work(arguments.work)
        return 0
    with tempfile.TemporaryDirectory() as name:
        from benchmarks.fuzz_cases import prepare

        prepare(Path(name))
        if arguments.case:
            show_case(Path(name), arguments.case[0], int(arguments.case[1]))
            return 0
        results = fuzz(Path(name), arguments.kinds, arguments.cases)
    print(table(results["counts"]))
    write_json(results, RESULTS)
    return int(bool(results["faults"]))


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    sys.exit(main())
