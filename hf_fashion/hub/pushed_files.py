"""Plans the commit of a push: additions, a renewed card, and deletions of what the last push left.

A push writes `pushed_files.json`, the hash of each of its files. The next one deletes a file that it lacks if that
file is there with this hash: nobody has changed it since. Other files stay, with one exception: weights that
transformers would load in place of the new ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from ..cards.card import CARD
from ..commits.branch import Head, Operation
from ..files import sha256_of
from .cards.merge import card_for_hub
from .model_folder import FolderFiles


PUSHED = "pushed_files.json"
WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json")
SMALL = 1_000_000  # bytes; read once, so that a file is of the same version as its hash


def plan_of(files: FolderFiles) -> Callable[[Head], list[Operation]]:
    """Return the plan of a commit after which the repository has these files.

    Args:
        files (`FolderFiles`): of a saved model.
    """
    paths = [path for path in files.states if path not in (CARD, PUSHED)]
    hashes = {path: sha256_of(files.folder / path) for path in paths}
    listing = json.dumps({"format": 1, "sha256": hashes}, indent=2).encode() + b"\n"

    def plan(head: Head) -> list[Operation]:
        texts = {CARD: _card(files, head), PUSHED: listing}
        additions = [CommitOperationAdd(path, text) for path, text in texts.items() if text is not None]
        additions += [_addition(files, path) for path in paths]
        return [*additions, *(CommitOperationDelete(path) for path in stale_files(head, hashes))]

    return plan


def stale_files(head: Head, hashes: dict[str, str]) -> list[str]:
    """List the files that an earlier push left in a repository.

    Args:
        head (`Head`): the newest commit.
        hashes (`dict[str, str]`): path -> SHA-256 of each file that is pushed.
    """
    gone = head.files - hashes.keys() - {CARD, PUSHED}
    pushed = _pushed(head) if gone else {}
    ours = (path for path in gone & pushed.keys() if head.sha256(path) == pushed[path])
    return sorted({*ours, *(path for path in gone if WEIGHTS.fullmatch(path))})


def _addition(files: FolderFiles, path: str) -> CommitOperationAdd:
    file = files.folder / path
    return CommitOperationAdd(path, file.read_bytes() if files.states[path][1] <= SMALL else file)


def _card(files: FolderFiles, head: Head) -> bytes | None:
    """The folder's card, or one that is made for its model, with what people wrote into the one on the Hub."""
    old = head.read(CARD).decode() if CARD in head.files else None
    card = card_for_hub(files.folder, head.branch.repo_id, old)
    return None if card is None else card.encode()


def _pushed(head: Head) -> dict[str, Any]:
    """Hashes of the last push; none where there is no list, or people have broken it."""
    if PUSHED not in head.files:
        return {}
    try:
        pushed = json.loads(head.read(PUSHED))["sha256"]
    except (ValueError, LookupError, TypeError):
        return {}
    return pushed if isinstance(pushed, dict) else {}
