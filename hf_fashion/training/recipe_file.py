"""Recipes as YAML files: dataclasses of sections, in which an unknown key is an error."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ..messages import did_you_mean
from ..yaml_files import BooleanWord, parse_yaml, read_yaml, replace_words
from .recipe_ranges import check_range
from .recipes.shipped import shipped_recipes


Section = TypeVar("Section")
Read = TypeVar("Read", bound="RecipeFile")


class RecipeFile:
    """Read a recipe from YAML. Subclasses are dataclasses whose fields are the sections, which are dataclasses too."""

    @classmethod
    def read(cls: type[Read], path: str | Path, changes: Sequence[str] = ()) -> Read:
        """Read a recipe from a YAML file.

        Args:
            path (`str` or `Path`): the YAML file. Its key `base` may name another recipe for the keys that it lacks, a
                file relative to it or one of the package; or a list of them, where a later one overrides an earlier.
            changes (`Sequence[str]`, *optional*): such as `"training.seed=1"` or `"training.stages.0.epochs=2"`;
                values are YAML.

        Raises:
            FileNotFoundError: if there is no such file, or no recipe that it names as `base`.
            ValueError: for an unknown key, a key that is given twice, or a value that is not allowed, naming it.
        """
        values = _read_with_bases(Path(path))
        for change in changes:
            key, equals, value = change.partition("=")
            if not equals:
                raise ValueError(f"A change must be of the form section.key=value; got {change!r}.")
            _set(values, key.split("."), _parse_change(key, value))
        return fill(cls, values, "recipe")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return asdict(self)


def require(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `ValueError` unless a key's value is allowed.

    Args:
        name (`str`): the key, for the message.
        value (`str`): its value.
        allowed (`tuple[str, ...]`): allowed values.
    """
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}.")


def check_keys(where: str, values: Mapping[str, Any], known: set[str]) -> None:
    """Raise `ValueError` for an unknown key, and suggest the one that was meant.

    Args:
        where (`str`): where the keys are, for the message.
        values (`Mapping[str, Any]`): the keys and their values.
        known (`set[str]`): allowed keys.
    """
    for key in values:
        if key not in known:
            raise ValueError(f"`{where}`: unknown key {key!r}{did_you_mean(key, known)}.")


def _parse_change(key: str, value: str) -> Any:
    try:
        return parse_yaml(value)
    except ValueError as error:
        raise ValueError(f"{key}={value}: {error}") from error


def _read_with_bases(path: Path, readers: Sequence[Path] = ()) -> dict[str, Any]:
    """Read a recipe and the recipes that it names as `base`; `readers` are those that name this one."""
    if path.resolve() in readers:
        raise ValueError(f"{path}: the recipe is its own `base`, directly or by the recipes that it names.")
    values = read_yaml(path) or {}
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected key: value pairs; got {values!r}.")
    bases = values.pop("base", [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) and base.isprintable() for base in bases):
        raise ValueError(f"{path}: `base` must be the path or name of a recipe, or a list of them; got {bases!r}.")
    whole: dict[str, Any] = {}
    for base in bases:
        whole = merge(whole, _read_with_bases(_base_file(path, base), [*readers, path.resolve()]))
    return merge(whole, values)


def _base_file(recipe: Path, base: str) -> Path:
    if (recipe.parent / base).is_file():
        return recipe.parent / base
    shipped = shipped_recipes()
    if base not in shipped:
        near = did_you_mean(base, shipped)
        raise FileNotFoundError(f"{recipe}: its `base` {base!r} is no file there and no recipe of the package{near}")
    return shipped[base]


def merge(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return nested values, with those of `base` for missing keys; lists are not joined.

    Args:
        base (`dict`): defaults.
        values (`dict`): values that override them.
    """
    both = {key for key in base if isinstance(base[key], dict) and isinstance(values.get(key), dict)}
    return base | values | {key: merge(base[key], values[key]) for key in both}


def _set(values: Any, keys: list[str], value: Any) -> None:
    """Set a value in nested dicts and lists; a key of a list is a number from 0."""
    for number, key in enumerate(keys):
        last, where = number == len(keys) - 1, ".".join(keys[:number])
        if isinstance(values, list):
            if not (key.isdecimal() and int(key) < len(values)):
                raise ValueError(f"{where} is a list of {len(values)}: name one by its number from 0; got {key!r}.")
            key = int(key)
        elif not isinstance(values, dict):
            raise ValueError(f"{where} has no keys: change it as a whole.")
        elif not last:
            values.setdefault(key, {})
        if last:
            values[key] = value
        else:
            values = values[key]


def fill(section: type[Section], values: Any, where: str) -> Section:
    """Return a dataclass made of plain values, whose keys, types and ranges are checked.

    Args:
        section (`type`): the dataclass; its fields may be dataclasses too.
        values (`Any`): its values by key.
        where (`str`): where the values are, for the message.

    Raises:
        ValueError: naming the key that is unknown, missing, or has a value that is not allowed.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{where}: expected key: value pairs; got {values!r}.")
    known = [entry.name for entry in fields(section)]
    hints = get_type_hints(section)
    for key in values:
        if key not in known:
            raise ValueError(
                f"{where}: unknown key {key!r}{did_you_mean(str(key), known)}; allowed: {', '.join(known)}."
            )
    filled = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    for entry in fields(section):
        check_range(entry, filled.get(entry.name), f"{where}.{entry.name}")
    try:
        return section(**filled)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _convert(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        return fill(kind, value, where)
    if kind is float and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 5e-4 as text
        except (TypeError, ValueError):
            raise ValueError(f"{where} must be a number; got {value!r}.") from None
    return _checked(kind, value, where)


def _checked(kind: Any, value: Any, where: str) -> Any:
    """Check a value against `int`, `str | None`, `list[str]` and the like; containers element by element."""
    if isinstance(kind, UnionType):
        return None if value is None else _convert(get_args(kind)[0], value, where)
    if kind is Any:
        return replace_words(value, bool)
    container = get_origin(kind) or kind
    if isinstance(value, BooleanWord):
        value = replace_words(value, str if container is str else bool)
    if not isinstance(value, container) or (container is int and isinstance(value, bool)):
        raise ValueError(f"{where} must be of type {container.__name__}; got {value!r}.")
    if container is list:
        return [_convert(get_args(kind)[0], item, f"{where}[{number}]") for number, item in enumerate(value)]
    if container is dict:
        words = {replace_words(key, str): item for key, item in value.items()}
        return {key: _convert(get_args(kind)[1], item, f"{where}.{key}") for key, item in words.items()}
    return value
