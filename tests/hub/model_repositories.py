"""Tiny models in folders, and what is in the repositories that they are pushed to."""

from pathlib import Path

import torch
from transformers import PreTrainedModel, ProcessorMixin

from hf_fashion.hub.cards.writing import write_card
from tests.hub_server import HubServer, StoredFile
from tests.tiny_e2 import tiny_model, tiny_processor


NAME = "tester/a"


def save_e2(folder: Path, seed: int = 0) -> Path:
    """Save a tiny E2 with a card of its own."""
    save(folder, tiny_model(seed), tiny_processor())
    write_card(folder, NAME)
    return folder


def save(folder: Path, model: PreTrainedModel, processor: ProcessorMixin | None = None) -> None:
    for part in filter(None, (model, processor)):
        part.save_pretrained(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Return path -> content of all files of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(hub: HubServer, ref: str = "main") -> dict[str, bytes]:
    """Return path -> content of all files of the repository's newest commit, without the list of a push."""
    files = commit_files(hub, ref)
    return {path: file.content for path, file in files.items() if path != "pushed_files.json"}


def commit_files(hub: HubServer, ref: str = "main") -> dict[str, StoredFile]:
    repository = hub.repositories["model", NAME]
    return repository.commits[repository.refs[ref]]


def number_of_commits(hub: HubServer) -> int:
    """Return the number of commits after the empty one that a new repository begins with."""
    return len(hub.repositories["model", NAME].commits) - 1


def write_on_hub(hub: HubServer, files: dict[str, bytes], deleted: tuple[str, ...] = ()) -> None:
    """Commit files as a person does."""
    kept = {path: file for path, file in commit_files(hub).items() if path not in deleted}
    new = {path: StoredFile(content, path.endswith(".safetensors")) for path, content in files.items()}
    hub.repositories["model", NAME].commit(kept | new, "main")


def equal_weights(first: PreTrainedModel, second: PreTrainedModel) -> bool:
    theirs = second.state_dict()
    return all(torch.equal(weight, theirs[name]) for name, weight in first.state_dict().items())
