"""YAML of recipes and column maps, read strictly: a key that is given twice is an error, and so is what explodes."""

from pathlib import Path
from typing import Any

import yaml


MERGE, BOOLEAN, TEXT = (f"tag:yaml.org,2002:{name}" for name in ("merge", "bool", "str"))
# Aliases may name the same part again and again; more values than this are no recipe.
LARGEST = 100_000


class BooleanWord(str):
    """Hold one of YAML's words `yes`, `no`, `on` and `off`: text where text is wanted, a boolean elsewhere."""


def replace_words(values: Any, kind: type[str] | type[bool]) -> Any:
    """Return nested values whose words such as `no` are text or booleans; keys are text.

    Args:
        values (`Any`): as `parse_yaml` returns them.
        kind (`type`): `str` or `bool`.
    """
    if isinstance(values, dict):
        return {replace_words(key, str): replace_words(value, kind) for key, value in values.items()}
    if isinstance(values, list):
        return [replace_words(value, kind) for value in values]
    if not isinstance(values, BooleanWord):
        return values
    return str(values) if kind is str else values.lower() in ("yes", "on")


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Args:
        path (`str` or `Path`): the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: as `parse_yaml`, naming the file.
    """
    try:
        return parse_yaml(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse_yaml(text: str) -> Any:
    """Read one YAML document; of an empty one, `None`. Words such as `no` are [`BooleanWord`]s.

    Args:
        text (`str`): the document.

    Raises:
        ValueError: if it is not YAML, gives a key twice, holds itself, or has too many values.
    """
    try:
        loader = _StrictLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node, {})
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError:
        raise ValueError("the YAML is nested too deeply") from None


class _StrictLoader(yaml.SafeLoader):
    """YAML's own rule is that keys are unique; PyYAML keeps the last one."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            tag = TEXT if _is_word(key) else key.tag
            line, name = key.start_mark.line + 1, (tag, key.value)
            if name in first:
                raise ValueError(f"line {line}: the key {key.value!r} is given twice, first in line {first[name]}")
            first[name] = line
        return node

    def construct_boolean(self, node: yaml.ScalarNode) -> BooleanWord | bool:
        return BooleanWord(node.value) if _is_word(node) else self.construct_yaml_bool(node)


_StrictLoader.add_constructor(BOOLEAN, _StrictLoader.construct_boolean)


def _is_word(node: yaml.ScalarNode) -> bool:
    return node.tag == BOOLEAN and node.value.lower() not in ("true", "false")


def _check_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return the number of values of a node, each alias counted as what it names."""
    if sizes.get(id(node)) == 0:
        raise ValueError(f"line {node.start_mark.line + 1}: a value holds itself")
    if id(node) not in sizes:
        sizes[id(node)] = 0  # until its parts are counted
        parts = [] if isinstance(node, yaml.ScalarNode) else node.value
        inner = (one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
        sizes[id(node)] = 1 + sum(_check_size(one, sizes) for one in inner)
    if sizes[id(node)] > LARGEST:
        raise ValueError(f"line {node.start_mark.line + 1}: more than {LARGEST:,} values")
    return sizes[id(node)]
