"""Read the files of a published data set: text by line, JSON whose objects have what is needed, photos by name."""

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ...messages import did_you_mean, listed, shown
from ..encoded_photos import is_url
from ..feeds.encoding import read_text
from ..feeds.json_rows import distinct_keys
from ..sources.folder_listing import list_folder


logger = logging.getLogger(__name__)


def find_file(source: Path, name: str) -> Path:
    """Return a file of this name: the source itself, or the only one in the source and its sub-folders.

    Args:
        source (`Path`): a file or a folder.
        name (`str`): the file's name, or a pattern such as `train*.json`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: there are several.
    """
    found = find_files(source, name)
    if len(found) > 1:
        raise ValueError(f"{source} holds {name} several times ({', '.join(map(str, found[:5]))}): name one of them")
    return found[0]


def find_files(source: Path, name: str) -> list[Path]:
    """Return the files of this name, sorted: the source itself, or those next to each other at the top of the source,
    else those in its sub-folders. Those below others are logged as not read.

    Args:
        source (`Path`): a file or a folder.
        name (`str`): a name, or a pattern such as `train*.json`.

    Raises:
        FileNotFoundError: there is none.
    """
    if source.is_file():
        return [source]
    everywhere = sorted(source.rglob(name))
    found = sorted(source.glob(name)) or everywhere
    if found and len(found) < len(everywhere):
        below = [str(path.relative_to(source)) for path in everywhere if path not in found]
        logger.warning("%s", listed(f"{source}: {len(below):,} {name} in its sub-folders are not read", below))
    if not found:
        held = [path.name for path in source.iterdir()] if source.is_dir() else []
        what = f"{source} holds no {name}{did_you_mean(name, held)}" if source.is_dir() else f"{source} does not exist"
        raise FileNotFoundError(f"{what}: name the folder that has it, or the file itself")
    return found


def folder_of(source: Path) -> Path:
    """Return a source that is a folder, and the folder of one that is a file.

    Args:
        source (`Path`): a file or a folder.
    """
    return source.parent if source.is_file() else source


def read_json(path: Path, dropped: Collection[str] = ()) -> Any:
    """Read a JSON file.

    Args:
        path (`Path`): the file.
        dropped (`Collection[str]`, *optional*): keys of objects that are left out, so that large values of no use do
            not fill the memory.

    Raises:
        ValueError: naming the line where it is not JSON, or the key that an object has twice.
    """
    text = read_text(path)

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return distinct_keys([pair for pair in pairs if pair[0] not in dropped])

    try:
        return json.loads(text, object_pairs_hook=kept if dropped else distinct_keys)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}. Load or copy the file again"
        ) from error
    except RecursionError as error:
        raise ValueError(f"{path}: JSON nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def require_objects(path: Path, values: Any, unit: str, needed: Mapping[str, type | tuple[type, ...]]) -> list[dict]:
    """Return a list of JSON objects, if all of them have what is needed.

    Args:
        path (`Path`): the file, for errors.
        values (`Any`): what should be the list.
        unit (`str`): what an object is called, for errors.
        needed (`dict[str, type]`): key -> type of its value.

    Raises:
        ValueError: naming all objects, from 1, that lack a key or have a value of another type.
    """
    if not isinstance(values, list):
        what = f"expected a list with an object for each {unit}, it holds {shown(values)}"
        raise ValueError(f"{path}: {what}: is it another file?")
    problems = [_problem(value, needed) for value in values]
    lines = [f"{unit} {number}: {problem}" for number, problem in enumerate(problems, 1) if problem]
    if lines:
        raise ValueError(listed(f"{path}: {len(lines):,} of {len(values):,} entries are not as expected", lines))
    return values


def photos_by_name(folder: Path, with_ending: bool = True) -> dict[str, str]:
    """Return the path of each photo of a folder and its sub-folders by its name.

    Args:
        folder (`Path`): the folder.
        with_ending (`bool`, *optional*, defaults to `True`): whether the names have their endings.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: two photos have the same name.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder of photos {folder}: name it with `images` (--images)")
    named: dict[str, str] = {}
    for photo in list_folder(folder).photos:
        path = PurePosixPath(photo)
        name = path.name if with_ending else path.stem
        if name in named:
            raise ValueError(f"{folder}: two photos are called {name!r} ({named[name]}, {photo}): remove one of them")
        named[name] = photo
    return {name: str(folder / photo) for name, photo in named.items()}


def photo_place(photo: str, folder: Path) -> str:
    """Return a photo's URL as it is, and its path relative to a folder.

    Args:
        photo (`str`): a URL or a path.
        folder (`Path`): the folder.
    """
    return photo if is_url(photo) else str(folder / photo)


def _problem(value: Any, needed: Mapping[str, type | tuple[type, ...]]) -> str | None:
    if not isinstance(value, dict):
        return f"expected an object, got {shown(value)}"
    for key, kind in needed.items():
        if key not in value:
            return f"no {key!r}{did_you_mean(key, value)}; it has: {', '.join(value)}"
        if not isinstance(value[key], kind):
            return f"{key!r} is {shown(value[key])}, expected {_names(kind)}"
    return None


def _names(kind: type | tuple[type, ...]) -> str:
    words = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "an object"}
    return " or ".join(words[one] for one in (kind if isinstance(kind, tuple) else (kind,)))
