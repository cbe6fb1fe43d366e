"""Pushes a model, its processor and its card to the Hub in one commit."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import CommitInfo
from transformers import AutoConfig, BaseImageProcessor, Pipeline, PreTrainedModel, ProcessorMixin

from ..commits.branch import HubBranch
from ..commits.staging import staged_folder
from ..embedding.saved_models import PROCESSOR_FILES
from .model_folder import check_folder, files_of
from .pushed_files import plan_of
from .sentence_transformers_files import write_sentence_transformers_files


COMMIT_MESSAGE = "Upload model"


def push_to_hub(
    source: str | Path | PreTrainedModel | Pipeline,
    repo_id: str,
    *,
    processor: ProcessorMixin | BaseImageProcessor | None = None,
    private: bool | None = None,
    token: str | None = None,
    commit_message: str = COMMIT_MESSAGE,
    revision: str | None = None,
) -> CommitInfo:
    """Push a model to the Hub in one commit: weights, configuration, code, processor, and what else is in its folder.

    A model or a pipeline gets the files for sentence-transformers too; the folder of a training has them.

    Whoever loads it meanwhile gets the old model or the new one, whole. Files of an earlier push that this one lacks
    are deleted, unless someone has changed them since. What else is in the repository stays, and so does what people
    wrote into its card. A connection that is cut and a Hub that is busy are tried again; after an error the same call
    can be made again.

    Args:
        source (`str`, `Path`, `PreTrainedModel` or `Pipeline`): the folder of a saved model, such as `best` of a
            training; or a model; or a [`FashionRetrievalPipeline`], which brings its processor and its code.
        repo_id (`str`): id of a model on the Hub. It is created where it is missing.
        processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): of a model that is no folder.
        private (`bool`, *optional*): whether a repository that is created is private. Default: as the organisation has
            chosen, else public.
        token (`str`, *optional*): token of the Hub. Default: the one that was logged in with.
        commit_message (`str`, *optional*, defaults to `"Upload model"`): first line of the commit.
        revision (`str`, *optional*): a branch. It is created where it is missing. Default: `main`.

    Returns:
        `huggingface_hub.CommitInfo`: the commit; where nothing differs, the newest one of the branch.

    Raises:
        FileNotFoundError: there is no saved model, or its processor is missing.
        ValueError: a file of the model is damaged, an argument is wrong, or a public repository is to be private.
        OSError: the Hub refuses the push or cannot be reached, or the disk is full; the message says what to do.
    """
    branch = HubBranch(repo_id, "model", token, revision)
    if isinstance(source, (str, Path)):
        if processor is not None:
            raise ValueError("`processor` is for a model; save it in the folder that is pushed")
        return _push_folder(Path(source).expanduser(), branch, private, commit_message)
    if not isinstance(source, (PreTrainedModel, Pipeline)):
        raise ValueError(
            f"`source` must be a folder, a model or a pipeline, got {type(source).__name__}. A gallery has a "
            "`push_to_hub` of its own"
        )
    with staged_folder("model") as folder:
        source.save_pretrained(folder)
        if processor is not None:
            processor.save_pretrained(folder)
        if any((folder / name).is_file() for name in PROCESSOR_FILES):
            write_sentence_transformers_files(AutoConfig.from_pretrained(folder, trust_remote_code=False), folder)
        return _push_folder(folder, branch, private, commit_message)


def ensure_repository(
    repo_id: str, private: bool | None = None, token: str | None = None, revision: str | None = None
) -> str:
    """Create a model's repository where it is missing, and check that the token may write to it.

    Args:
        repo_id (`str`): as for [`push_to_hub`].
        private (`bool`, *optional*): as for [`push_to_hub`].
        token (`str`, *optional*): as for [`push_to_hub`].
        revision (`str`, *optional*): as for [`push_to_hub`].

    Returns:
        `str`: the whole id, with the user's name.

    Raises:
        ValueError: an argument is wrong, or a public repository is to be private.
        OSError: the Hub refuses it or cannot be reached; the message says what to do.
    """
    branch = HubBranch(repo_id, "model", token, revision)
    branch.create(private)
    return branch.repo_id


def _push_folder(folder: Path, branch: HubBranch, private: bool | None, commit_message: str) -> CommitInfo:
    check_folder(folder)
    files = files_of(folder)
    branch.create(private)
    return branch.commit(plan_of(files, branch.repo_id), commit_message, files.require_unchanged)
