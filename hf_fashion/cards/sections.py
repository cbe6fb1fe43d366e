"""Divide the text of a card into marked sections, and renew those that people did not change.

A section is between two comments. The first one holds its name and a hash of its text: a text with another hash was
changed by people.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .hashes import short_hash


logger = logging.getLogger(__name__)

TITLE, INTRODUCTION = "title", "introduction"
_END = "<!-- hf_fashion: end -->"
_BEGIN = re.compile(r"^<!-- hf_fashion: (?P<name>[\w-]+) (?P<hash>[0-9a-f]{8}) -->\n", re.MULTILINE)


class Section(NamedTuple):
    """Hold a section of a card or, without a name, what is between two of them.

    Args:
        name (`str`): from its heading.
        hash (`str`): of the text that hf_fashion wrote.
        text (`str`): the text that is there.
    """

    name: str
    hash: str
    text: str

    @property
    def is_changed(self) -> bool:
        """`bool`: whether people changed the text."""
        return self.hash != short_hash(self.text.strip())

    def __str__(self) -> str:
        return f"<!-- hf_fashion: {self.name} {self.hash} -->\n{self.text}\n{_END}" if self.name else self.text


def mark_sections(body: str) -> str:
    """Mark the title of a text, its introduction, and each section with a heading of level two.

    Args:
        body (`str`): Markdown that begins with a title, `# ...`.
    """
    title, _, rest = body.strip().partition("\n")
    texts = [(TITLE, title), *((_name(text), text.strip()) for text in _divided(rest.strip()))]
    return "\n\n".join(str(Section(name, short_hash(text), text)) for name, text in texts)


def renew_sections(old: str, new: str) -> str:
    """Return the old text with the new sections in the place of those that people did not change.

    Sections that people changed are logged; one that they emptied stays empty. A text without marks is kept, and the
    new sections follow it, without their title.

    Args:
        old (`str`): the text that is there.
        new (`str`): from [`mark_sections`], as it is or changed by people.
    """
    found, wanted = list(read_sections(old)), list(read_sections(new))
    if TITLE not in {section.name for section in found}:
        wanted = [section for section in wanted if section.name != TITLE]
    if not any(section.name for section in found):
        return f"{old.rstrip()}\n\n{''.join(map(str, wanted)).strip()}\n"
    kept = [section.name for section in found if section.name and section.is_changed]
    if kept:
        logger.warning("sections of the card that people have changed stay as they are: %s", ", ".join(kept))
    by_name = {section.name: section for section in wanted if section.name}
    texts = [(section.name, _renewed(section, by_name)) for section in found]
    return "".join(text for _, text in _with_missing(texts, wanted, old))


def read_sections(text: str) -> Iterator[Section]:
    """Divide a text into its marked sections and what is between them. The mark at the end of one may be missing.

    Args:
        text (`str`): of a card.
    """
    place = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() > place:
            yield Section("", "", text[place : begin.start()])
        following = _BEGIN.search(text, begin.end())
        inside = text[begin.end() : following.start() if following else len(text)]
        section, end, _ = inside.partition(_END)
        yield Section(begin["name"], begin["hash"], section.strip("\n"))
        if not end:
            yield Section("", "", "\n\n")
        place = begin.end() + len(section) + len(end)
    yield Section("", "", text[place:])


def _renewed(section: Section, wanted: Mapping[str, Section]) -> str:
    if not section.name or section.is_changed:
        return str(section)
    return str(wanted.get(section.name, ""))


def _with_missing(texts: list[tuple[str, str]], wanted: Sequence[Section], old: str) -> list[tuple[str, str]]:
    """The texts of an old card; behind the section that it follows in the new card, each that only this one has."""
    before = ""
    for section in wanted:
        names = [name for name, _ in texts]
        is_new = section.name not in names if section.name else section.text.strip() not in old
        if is_new:
            place = names.index(before) + 1 if before in names else 0
            texts.insert(place, (section.name, f"\n\n{section}\n\n"))
        before = section.name or before
    return texts


def _divided(text: str) -> Iterator[str]:
    """Cut Markdown before each heading of level two; a line of code is no heading."""
    lines: list[str] = []
    in_code = False
    for line in text.split("\n"):
        in_code ^= line.startswith("```")
        if line.startswith("## ") and not in_code and lines:
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    yield "\n".join(lines)


def _name(text: str) -> str:
    heading = re.match(r"## (.+)", text)
    return re.sub(r"[^a-z0-9]+", "-", heading[1].lower()).strip("-") if heading else INTRODUCTION
