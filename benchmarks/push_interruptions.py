"""Interrupt pushes of a model to a Hub on loopback: kills of the process, and cuts of its connections.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/push_interruptions.py --pushes 50

Every push brings the other one of two models to the same repository, in a process of its own. A kill hits it at a
moment drawn from the time that an undisturbed push takes; a cut ends all connections after a number of bytes, in both
directions together, drawn from those of an undisturbed push. After half of the cuts the Hub is reached again at once,
after the others only by the next push. Then the repository must hold the old model or the new one, whole, and load;
the folder must be unchanged; and the next push must bring the new model, without a second commit of what had arrived.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from typing import Any

import pytest
import torch
from huggingface_hub import close_session
from huggingface_hub.utils import disable_progress_bars
from tqdm.auto import tqdm
from transformers import AutoModel, AutoProcessor
from transformers.utils import logging

from benchmarks.runs import markdown
from hf_fashion.commits.failures import PushError
from hf_fashion.files import sha256_of, write_json
from hf_fashion.hub.cards.writing import write_card
from hf_fashion.hub.push import push_to_hub
from tests.hub_server import HubServer
from tests.tiny_e2 import tiny_model, tiny_processor


RESULTS = Path(__file__).parent / "results" / "push_interruptions.json"
FORK = multiprocessing.get_context("fork")
NAME = "tester/model"
BLOCK = 4096  # bytes that the relay passes on at a time
LONGEST_WAIT = 0.02  # seconds between two tries, where a push waits for up to 16
FAILED = 3  # exit code of a push that has said so
KINDS = ("killed", "cut once", "cut until the next push")


class Relay:
    """Pass bytes between pushes and a Hub, until as many have passed as a cut allows.

    Args:
        port (`int`): of the Hub.
    """

    def __init__(self, port: int):
        self.port = port
        self.allow(float("inf"))
        self.lock, self.open_sockets = threading.Lock(), []
        self.server = create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def allow(self, bytes_left: float, comes_back: bool = True) -> None:
        """Set after how many bytes the next cut comes, and whether connections work after it."""
        self.passed, self.cuts, self.left, self.comes_back = 0, 0, bytes_left, comes_back

    def _accept(self) -> None:
        while True:
            here = self.server.accept()[0]
            if self.left <= 0:
                here.close()
                continue
            there = create_connection(("127.0.0.1", self.port))
            self.open_sockets += [here, there]
            for ends in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket, target: socket) -> None:
        with suppress(OSError):
            while part := source.recv(BLOCK):
                allowed = self._take(len(part))
                target.sendall(part[:allowed])
                if allowed < len(part):
                    self._cut()
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(SHUT_RDWR)

    def _take(self, wanted: int) -> int:
        with self.lock:
            allowed = int(min(wanted, max(self.left, 0)))
            self.left, self.passed = self.left - allowed, self.passed + allowed
            return allowed

    def _cut(self) -> None:
        with self.lock:
            self.cuts += 1
            ends, self.open_sockets = self.open_sockets, []
            if self.comes_back:
                self.left = float("inf")
        for end in ends:
            with suppress(OSError):
                end.shutdown(SHUT_RDWR)


def push(folder: Path) -> None:
    """Push in this process, which is forked; end with `FAILED` after a sentence of the push."""
    close_session()  # of the parent
    try:
        push_to_hub(folder, NAME)
    except PushError:
        os._exit(FAILED)
    os._exit(0)


def start(folder: Path) -> Any:
    process = FORK.Process(target=push, args=(folder,))
    process.start()
    return process


def finish(folder: Path) -> int:
    process = start(folder)
    process.join()
    return process.exitcode


def hashes(folder: Path) -> dict[str, str]:
    """Return path -> hash of the files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def stored(hub: HubServer) -> dict[str, bytes]:
    repository = hub.repositories["model", NAME]
    return {path: file.content for path, file in repository.commits[repository.refs["main"]].items()}


def which(hub: HubServer, expected: list[dict[str, bytes]]) -> int:
    """Return which of two repositories there is; -1 for a mix of them or another one."""
    return next((number for number, files in enumerate(expected) if files == stored(hub)), -1)


def loads(hub: HubServer) -> bool:
    """Return whether what is in the repository loads and embeds."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in stored(hub).items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_bytes(content)
        model, processor = AutoModel.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
        with torch.no_grad():
            return bool(
                model.get_text_features(**processor(text=["a"], return_tensors="pt")).pooler_output.isfinite().all()
            )


def disturb(kind: str, relay: Relay, generator: random.Random, undisturbed: dict[str, float], folder: Path) -> bool:
    """Push, and interrupt it; return whether it had not ended before.

    Raises:
        RuntimeError: the push has failed without a sentence.
    """
    if kind == "killed":
        process = start(folder)
        process.join(generator.uniform(0, undisturbed["seconds"]))
        process.kill()
        process.join()
        return process.exitcode == -signal.SIGKILL
    relay.allow(generator.uniform(0, undisturbed["bytes"]), comes_back=kind == "cut once")
    code = finish(folder)
    if code not in (0, FAILED):
        raise RuntimeError(f"the push ended with {code}")
    return relay.cuts > 0


def check(hub: HubServer, expected: list[dict[str, bytes]], before: dict[str, str], folder: Path) -> list[str]:
    """Return what is wrong after an interruption."""
    faults = []
    if which(hub, expected) < 0:
        faults.append("the repository is half")
    elif not loads(hub):
        faults.append("the repository does not load")
    return faults + ["a file of the folder is damaged"] * (hashes(folder) != before)


def run(number: int, hub: HubServer, relay: Relay, folders: list[Path], seed: int) -> list[dict[str, Any]]:
    """Push until as many pushes as asked for were interrupted, and return a row for each kind."""
    generator = random.Random(seed)
    expected, undisturbed = measure(hub, relay, folders)
    rows = {kind: {"test": kind, "interrupted": 0, "ended_before": 0, "arrived": 0, "faults": []} for kind in KINDS}
    with tqdm(total=number, desc="pushes") as bar:
        while bar.n < number:
            row, new = rows[KINDS[bar.n % len(KINDS)]], 1 - which(hub, expected)
            commits, before = len(hub.repositories["model", NAME].commits), hashes(folders[new])
            is_hit = disturb(row["test"], relay, generator, undisturbed, folders[new])
            row["interrupted" if is_hit else "ended_before"] += 1
            row["arrived"] += is_hit and which(hub, expected) == new
            found = check(hub, expected, before, folders[new])
            relay.allow(float("inf"))
            found += ["the next push fails"] * (finish(folders[new]) != 0 or which(hub, expected) != new)
            found += ["a commit came twice"] * (len(hub.repositories["model", NAME].commits) - commits != 1)
            row["faults"] += [f"push {bar.n}: {fault}" for fault in found]
            bar.update(is_hit)
    return list(rows.values())


def measure(hub: HubServer, relay: Relay, folders: list[Path]) -> tuple[list[dict[str, bytes]], dict[str, float]]:
    """Push both models undisturbed; return what is stored then, and seconds and bytes of the second push."""
    expected = []
    for folder in folders:
        relay.allow(float("inf"))
        begin = time.perf_counter()
        assert finish(folder) == 0
        undisturbed = {"seconds": time.perf_counter() - begin, "bytes": relay.passed}
        expected.append(stored(hub))
    return expected, undisturbed


def save_models(folder: Path) -> list[Path]:
    """Save two models of some megabytes, with processors and cards; one of them has a file that the other lacks."""
    folders = [folder / "first", folder / "second"]
    for seed, each in enumerate(folders):
        tiny_model(seed, projection_dim=20_000).save_pretrained(each)
        tiny_processor().save_pretrained(each)
        write_card(each, NAME)
    (folders[0] / "notes.json").write_text("{}")
    return folders


def interrupt(pushes: int, seed: int) -> list[dict[str, Any]]:
    """Interrupt pushes to a Hub of its own, and return a row for each kind.

    Args:
        pushes (`int`): how many.
        seed (`int`): of the moments and bytes.
    """
    with HubServer() as hub, tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        relay = Relay(int(hub.endpoint.rpartition(":")[2]))
        hub.use_here(patch, relay.endpoint)
        patch.setattr(time, "sleep", lambda seconds: threading.Event().wait(min(seconds, LONGEST_WAIT)))
        return run(pushes, hub, relay, save_models(Path(folder)), seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    disable_progress_bars()
    torch.set_num_threads(1)  # a forked process cannot use the threads of its parent
    rows = interrupt(arguments.pushes, arguments.seed)
    write_json({"arguments": vars(arguments), "rows": rows}, RESULTS)
    header = ["push", "interrupted", "the new model had arrived", "half repositories, damaged files, doubled commits"]
    counts = [[row["test"], *(str(row[key]) for key in ("interrupted", "arrived"))] for row in rows]
    print(markdown(header, [[*count, str(len(row["faults"]))] for count, row in zip(counts, rows, strict=True)]))
    print(*(fault for row in rows for fault in row["faults"]), sep="\n")


if __name__ == "__main__":
    main()
