"""The files of a saved model that are pushed, and whether they are a whole model."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from ..commits.failures import PushError
from ..embedding.saved_models import PROCESSOR_FILES, damaged_file, models_inside


logger = logging.getLogger(__name__)

CONFIGS = ("config.json", "adapter_config.json")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".msgpack", ".h5")
# Of models that take photos: the two towers, the attribute models, and captioners.
PHOTO_KEYS = ("vision_config", "attribute_names", "embedder_config")


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder as they were when they were listed.

    Args:
        folder (`Path`): the folder.
        states (`dict[str, tuple]`): path of each file in the folder, with slashes -> what changes with its content.
    """

    folder: Path
    states: dict[str, tuple[int, int, int]]

    def require_unchanged(self) -> None:
        """Raise if a file has been changed, added or deleted since, so that no mix of two models is committed.

        Raises:
            PushError: it is named.
        """
        now = _states(self.folder)
        changed = sorted(path for path in self.states.keys() | now if self.states.get(path) != now.get(path))
        if changed:
            raise PushError(
                f"{self.folder / changed[0]} was changed while {self.folder} was being pushed, and nothing is "
                "committed. Push again when nothing writes to the folder"
            )


def files_of(folder: Path) -> FolderFiles:
    """List the files of a folder that are pushed: all but hidden ones, compiled Python and pickles.

    Args:
        folder (`Path`): of a saved model.
    """
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix in PICKLES)
    if pickles:
        logger.warning(f"not pushed: {', '.join(pickles)} in {folder}, which may run code where they are loaded")
    return FolderFiles(folder, _states(folder))


def check_folder(folder: Path) -> None:
    """Raise if a folder is not a whole saved model.

    Args:
        folder (`Path`): of a saved model or a saved adapter.

    Raises:
        FileNotFoundError: there is no such folder, or it lacks configuration, weights or processor.
        ValueError: one of its files is damaged.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} to push")
    config = next((folder / name for name in CONFIGS if (folder / name).is_file()), None)
    if config is None:
        raise FileNotFoundError(f"{str(folder)!r} is not a model: it has no config.json{models_inside(folder)}")
    if damage := damaged_file(folder):
        raise ValueError(f"{str(folder)!r} was not pushed: {damage}. Save the model again")
    if not any(folder.glob("*.safetensors")):
        raise FileNotFoundError(f"{str(folder)!r} has no weights: save the model there as safetensors")
    takes_photos = any(key in json.loads(config.read_text(encoding="utf-8")) for key in PHOTO_KEYS)
    if takes_photos and not any((folder / name).is_file() for name in PROCESSOR_FILES):
        raise FileNotFoundError(
            f"{str(folder)!r} has no {PROCESSOR_FILES[0]}: save the model's processor there, or give `processor`, "
            "since nobody can give photos to the model without it"
        )


def _states(folder: Path) -> dict[str, tuple[int, int, int]]:
    states = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
        if path.is_file() and not is_hidden and path.suffix not in PICKLES:
            _require_inside(path, folder)
            stat = path.stat()
            states[relative.as_posix()] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return states


def _require_inside(path: Path, folder: Path) -> None:
    """Raise for a link to a file elsewhere, which a folder of strangers could use to have that file pushed.

    The Hub's cache keeps the files of a model as links to its own `blobs`.
    """
    target = path.resolve()
    blobs = folder.resolve().parent.parent / "blobs"
    if not target.is_relative_to(folder.resolve()) and not target.is_relative_to(blobs):
        raise ValueError(
            f"{path} is a link to {target}, outside of the folder: copy the file there, or remove the link"
        )
