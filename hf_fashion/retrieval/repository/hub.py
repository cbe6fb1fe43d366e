"""Downloads saved galleries from the Hub, and pushes them as one commit."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)

from ...cards.card import CARD, renewed_card
from ...commits.branch import Head, HubBranch
from ...commits.staging import staged_folder
from ..stores.base import VectorStore
from .manifest import ATTACHMENTS, MANIFEST, GalleryManifest, not_a_gallery
from .save import save_gallery


_REPOSITORY = {"repo_type": "dataset"}


def find_saved_gallery(source: str | Path, revision: str | None, token: str | None) -> Path:
    """Find the folder of a saved gallery; from the Hub only a gallery's files are downloaded, into the cache.

    Args:
        source (`str` or `Path`): a folder, or the id of a dataset on the Hub. A folder goes before an id.
        revision (`str`, *optional*): branch, tag or commit on the Hub.
        token (`str`, *optional*): of the Hub. Default: the one that was logged in with.

    Raises:
        FileNotFoundError: there is neither, or it is no gallery.
        OSError: the Hub cannot be reached, or `gallery.json` is damaged.
        ValueError: a newer version of hf_fashion wrote it.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    place = {"repo_id": str(source), "token": token, **_REPOSITORY}
    try:
        found = Path(hf_hub_download(filename=MANIFEST, revision=revision, **place)).parent
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise FileNotFoundError(
            f"`source` must be the folder of a saved gallery or the id of one on the Hub, got {str(source)!r}: there "
            f"is no such folder, and the Hub answers: {error}"
        ) from error
    except LocalEntryNotFoundError as error:
        raise FileNotFoundError(
            f"there is no folder {str(source)!r}, and no gallery of this id was reached on the Hub or is in the "
            f"cache: {error}"
        ) from error
    except RemoteEntryNotFoundError as error:
        raise FileNotFoundError(not_a_gallery(f"the dataset {source}")) from error
    files = list(GalleryManifest.read(found).sha256)
    # The folder is named by its commit: all files are of one revision.
    return Path(snapshot_download(revision=found.name, allow_patterns=[MANIFEST, *files], **place))


def push_gallery(
    store: VectorStore,
    repo_id: str,
    private: bool | None,
    token: str | None,
    commit_message: str,
    revision: str | None,
) -> CommitInfo:
    """Push a gallery as one commit, which replaces a gallery that was pushed there before.

    Args:
        store (`VectorStore`): the gallery's table.
        repo_id (`str`): id of a dataset on the Hub; made where it is missing.
        private (`bool`, *optional*): whether a dataset that is made is private. Default: what the organisation has
            chosen, else public.
        token (`str`, *optional*): of the Hub. Default: the one that was logged in with.
        commit_message (`str`): first line of the commit.
        revision (`str`, *optional*): a branch; made where it is missing. Default: `main`.

    Raises:
        ValueError: the repository is a dataset and not a gallery, is public and is to be private, or `repo_id` or
            `token` cannot be one.
        PushError: the Hub refuses the push or cannot be reached.
        RuntimeError: the gallery was changed meanwhile.
    """
    branch = HubBranch(repo_id, "dataset", token, revision)
    branch.create(private)
    _require_room(branch.repo_id, branch.head().files)
    with staged_folder("gallery") as folder:
        save_gallery(store, folder, branch.repo_id)
        return branch.commit(lambda head: _operations(folder, head), commit_message)


def _operations(folder: Path, head: Head) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Additions of every file in the folder, and deletions of what is left of an older gallery."""
    _require_room(head.branch.repo_id, head.files)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    card = files.pop(CARD).read_text(encoding="utf-8")
    if CARD in head.files:
        card = renewed_card(head.read(CARD).decode(), card)
    stale = sorted(name for name in head.files - files.keys() if name == ATTACHMENTS or name.startswith("data/train-"))
    return [
        CommitOperationAdd(CARD, card.encode()),
        *(CommitOperationAdd(name, path) for name, path in files.items()),
        *(CommitOperationDelete(name) for name in stale),
    ]


def _require_room(repo_id: str, there: frozenset[str]) -> None:
    others = sorted(name for name in there if name not in (CARD, ".gitattributes"))
    if others and MANIFEST not in there:
        raise ValueError(
            f"the dataset {repo_id} is not a gallery and has files of its own, such as {others[0]!r}. Push the "
            "gallery to another repository"
        )
