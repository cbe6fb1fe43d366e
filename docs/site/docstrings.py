"""Extension of the API reference: reads docstrings that are written as transformers writes them."""

import re
from collections.abc import Iterator
from typing import Any

import griffe


NAME = re.compile(r"\[`~?([\w.]+)`\](?![\[(])")  # [`~Gallery.sync`]
TYPE = re.compile(r"^(\s+\*{0,2}\w+) \((.*)\):(?=\s)", re.MULTILINE)  # name (`str`, *optional*):


class TransformersDocstrings(griffe.Extension):
    """Show names of classes as code, and types without the marks of Markdown."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite all docstrings of a package.

        Args:
            pkg (`griffe.Module`): the package.
        """
        for entry in _entries(pkg):
            if entry.docstring:
                text = NAME.sub(r"`\1`", entry.docstring.value)
                entry.docstring.value = TYPE.sub(_without_marks, text)


def _without_marks(match: re.Match) -> str:
    """The type only: the signature says what is optional, and its default."""
    return f"{match[1]} ({re.sub('[`*]', '', match[2].partition(', *optional*')[0])}):"


def _entries(entry: griffe.Object) -> Iterator[griffe.Object]:
    yield entry
    for member in entry.members.values():
        if not member.is_alias:
            yield from _entries(member)
