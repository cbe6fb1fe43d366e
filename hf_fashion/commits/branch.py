"""Commits to a branch on the Hub: whole or not at all, tried again after failures that pass, never twice."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from huggingface_hub import (
    CommitInfo,
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_session,
    hf_hub_url,
)
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, validate_repo_id

from .failures import HUB_ERRORS, Failure, PushError, checked_token


logger = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each further try
LONGEST_WAIT = 300.0  # that the Hub may ask for
LONGEST_SILENCE = 300.0  # seconds without a byte; huggingface_hub waits for ever
Operation = CommitOperationAdd | CommitOperationDelete
Result = TypeVar("Result")


@dataclass(frozen=True)
class Head:
    """The newest commit of a branch, from which a commit is planned.

    Args:
        branch (`HubBranch`): the branch.
        sha (`str`): id of the commit.
        files (`frozenset[str]`): paths of its files.
    """

    branch: HubBranch
    sha: str
    files: frozenset[str]

    def read(self, path: str) -> bytes:
        """Return the content of a file. It is not kept on disk.

        Args:
            path (`str`): one of `files`.
        """
        branch = self.branch
        url = hf_hub_url(
            branch.repo_id, path, repo_type=branch.repo_type, revision=self.sha, endpoint=branch.api.endpoint
        )
        response = get_session().get(url, headers=build_hf_headers(token=branch.token))
        hf_raise_for_status(response)
        return response.content

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file; of a large one, the Hub knows it.

        Args:
            path (`str`): one of `files`.
        """
        branch = self.branch
        info = branch.api.get_paths_info(branch.repo_id, [path], revision=self.sha, repo_type=branch.repo_type)[0]
        return info.lfs.sha256 if info.lfs else hashlib.sha256(self.read(path)).hexdigest()


class HubBranch:
    """A branch of a repository on the Hub.

    Args:
        repo_id (`str`): id of the repository; without a name and a slash before it, it is the user's own.
        repo_type (`str`): `"model"` or `"dataset"`.
        token (`str`, *optional*): of the Hub. Default: the one that was logged in with.
        revision (`str`, *optional*): the branch. Default: `main`.

    Raises:
        ValueError: the id cannot be one, or the token cannot be one.
    """

    def __init__(self, repo_id: str, repo_type: str, token: str | None = None, revision: str | None = None):
        try:
            validate_repo_id(repo_id)
        except HFValidationError as error:
            raise ValueError(
                f"`repo_id` must be an id on the Hub, such as 'shop/my-model', got {repo_id!r}: {error}"
            ) from error
        self.repo_id, self.repo_type, self.revision = repo_id, repo_type, revision
        self.token = checked_token(token)
        self.api = HfApi(token=self.token)

    def create(self, private: bool | None = None) -> None:
        """Create the repository and the branch where they are missing, and check that the token may write to it.

        Args:
            private (`bool`, *optional*): whether a repository that is created is private. Default: what the
                organisation has chosen, else public.

        Raises:
            PushError: the Hub refuses it or cannot be reached.
            ValueError: a private repository was asked for, and there is a public one.
        """
        self._tried(lambda: self._create(private))

    def head(self) -> Head:
        """Return the newest commit.

        Raises:
            PushError: the Hub refuses it or cannot be reached.
        """
        return self._tried(self._head)

    def commit(
        self,
        plan: Callable[[Head], Sequence[Operation]],
        message: str,
        check: Callable[[], None] = lambda: None,
    ) -> CommitInfo:
        """Commit changes. Where someone else has committed meanwhile, they are planned again.

        A commit of which the answer was lost is not made twice: the next plan finds every file as it wants it.

        Args:
            plan (`Callable`): from the branch's newest commit to additions and deletions.
            message (`str`): first line of the commit.
            check (`Callable`, *optional*): is called when large files are uploaded, right before the commit; what it
                raises prevents the commit.

        Returns:
            `huggingface_hub.CommitInfo`: the commit; where nothing differs, the newest one of the branch.

        Raises:
            PushError: the Hub refuses it or cannot be reached.
        """
        return self._tried(lambda: self._commit(plan, message, check))

    def _create(self, private: bool | None) -> None:
        place = {"repo_type": self.repo_type}
        self.repo_id = self.api.create_repo(self.repo_id, private=private, exist_ok=True, **place).repo_id
        if self.revision is not None and not self.revision.startswith("refs/pr/"):
            self.api.create_branch(self.repo_id, branch=self.revision, exist_ok=True, **place)
        if private and not self.api.repo_info(self.repo_id, **place).private:
            raise ValueError(
                f"{self.repo_id} is to be private, but it exists and is public. Make it private in its settings on "
                "the Hub, or push to another id"
            )
        # Small: it is not uploaded. The Hub answers only to those who may write.
        probe = CommitOperationAdd("config.json", b"{}")
        self.api.preupload_lfs_files(self.repo_id, [probe], revision=self.revision, **place)

    def _head(self) -> Head:
        info = self.api.repo_info(self.repo_id, repo_type=self.repo_type, revision=self.revision)
        return Head(self, info.sha, frozenset(file.rfilename for file in info.siblings))

    def _commit(self, plan: Callable, message: str, check: Callable) -> CommitInfo:
        place = {"repo_type": self.repo_type, "revision": self.revision}
        head = self._head()
        operations = list(plan(head))
        additions = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
        self.api.preupload_lfs_files(self.repo_id, additions, **place)
        check()
        # Not `upload_folder`, which may make several commits. The Hub refuses it where `head` is not the newest.
        return self.api.create_commit(
            self.repo_id, operations, commit_message=message, parent_commit=head.sha, **place
        )

    def _tried(self, call: Callable[[], Result]) -> Result:
        for wait in (*WAITS, None):
            try:
                with _limited_silence():
                    return call()
            except HUB_ERRORS as error:
                failure = Failure.of(error, self.token)
            if wait is None or failure.wait > LONGEST_WAIT or not failure.passes:
                break
            seconds = max(wait, failure.wait)
            logger.warning(f"{self.repo_id}: {failure.what}. The next try is in {seconds:g} seconds")
            time.sleep(seconds)
        asked = f". The Hub asks to wait {failure.wait:g} seconds" if failure.wait else ""
        # Not from the error, whose text may hold what the Hub has repeated of a request.
        raise PushError(
            f"the push to {self.repo_id} failed: {failure.what}{asked}. {failure.advice}. The files on this machine "
            "are as they were"
        )


@contextlib.contextmanager
def _limited_silence() -> Iterator[None]:
    """Give up a connection on which no byte comes, as one that a firewall has dropped."""
    session = get_session()
    before, session.timeout = session.timeout, LONGEST_SILENCE
    try:
        yield
    finally:
        session.timeout = before
