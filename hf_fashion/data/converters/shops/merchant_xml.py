"""Read the items of a Google Merchant feed in XML: RSS or Atom, with or without the namespace g."""

from pathlib import Path
from xml.parsers import expat

from ....messages import did_you_mean


NAMESPACE = "http://base.google.com/ns/1.0"
ITEMS = ("item", "entry")
SEPARATOR = " "  # expat writes a name as its namespace, this, and the name in it

# Line on which an item begins; the values of its elements by name.
Item = tuple[int, dict[str, list[str]]]


def read_merchant_xml(path: Path) -> list[Item]:
    """Return the items of a feed; elements inside the elements of an item, such as those of `shipping`, are not read.

    Entities and document types, with which a small file fills the memory or reads other files, are refused.

    Args:
        path (`Path`): the feed.

    Raises:
        ValueError: naming the line: it is not XML, or has a document type; or it holds no item.
    """
    reader = _Items()
    try:
        with open(path, "rb") as file:
            reader.parser.ParseFile(file)
    except expat.ExpatError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: not XML: {expat.errors.messages[error.code]}. Load the feed again"
        ) from error
    except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise ValueError(f"{path}, line {reader.parser.CurrentLineNumber}: {error}") from error
    if not reader.items:
        near = next((did_you_mean(name, ITEMS) for name in reader.seen if did_you_mean(name, ITEMS)), "")
        raise ValueError(f"{path}: no item (RSS) or entry (Atom) in it{near}: is it a product feed?")
    return [(line, _merged(values)) for line, values in reader.items]


def _merged(values: dict[tuple[bool, str], list[str]]) -> dict[str, list[str]]:
    """The values by name; those of Google's namespace hide those of RSS and Atom."""
    return {name: found for (_, name), found in sorted(values.items(), key=lambda entry: entry[0][0])}


class _Items:
    """Collects items while expat reads."""

    def __init__(self):
        self.items: list[tuple[int, dict[tuple[bool, str], list[str]]]] = []
        self.seen: set[str] = set()
        self._depth_of_item, self._path, self._text = 0, [], []
        self.parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_) -> None:
        raise ValueError("it has a document type (<!DOCTYPE), which is not read: remove it")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(SEPARATOR)[2]
        self._path.append(name)
        self.seen.add(name)
        if name in ITEMS and not self._depth_of_item:
            self._depth_of_item = len(self._path)
            self.items.append((self.parser.CurrentLineNumber, {}))
        elif self._is_value:
            self._text = []
            if name == "link" and "href" in attributes:  # Atom's
                self._text.append(attributes["href"])

    def _end(self, tag: str) -> None:
        namespace, _, name = tag.rpartition(SEPARATOR)
        if self._is_value and (value := "".join(self._text).strip()):
            self.items[-1][1].setdefault((namespace == NAMESPACE, name), []).append(value)
        if len(self._path) == self._depth_of_item:
            self._depth_of_item = 0
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._is_value:
            self._text.append(text)

    @property
    def _is_value(self) -> bool:
        return bool(self._depth_of_item) and len(self._path) == self._depth_of_item + 1
