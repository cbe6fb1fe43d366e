"""Read the items of a Google Merchant feed in XML: RSS or Atom, with or without the namespace g."""

from pathlib import Path
from xml.parsers import expat

from ....messages import did_you_mean


NAMESPACE = "http://base.google.com/ns/1.0"
HTML = ("title", "description")  # elements that hold running text, perhaps with HTML that is not escaped
ITEMS = ("item", "entry")
SEPARATOR = " "  # expat writes a name as its namespace, this, and the name in it

# Line on which an item begins; the values of its elements by name.
Item = tuple[int, dict[str, list[str]]]


def read_merchant_xml(path: Path) -> list[Item]:
    """Return the items of a feed.

    Of an element that holds others of Google's, such as `product_detail`, the value is theirs with colons between
    them, as a text feed has it (`Fit:Neckline:V-neck`). Tags of HTML stay in titles and descriptions.

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
        self._depth_of_item, self._path = 0, []
        # Of the element of an item that is read: pieces of its text, and whether they are in an element inside it.
        self._pieces: list[tuple[bool, str]] = []
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
        elif self._depth == 1:
            # Atom's link has its text in an attribute.
            self._pieces = [(False, attributes["href"])] if name == "link" and "href" in attributes else []
        elif self._depth > 1:
            self._pieces.append((True, f"<{name}>" if self._path[self._depth_of_item] in HTML else ""))

    def _end(self, tag: str) -> None:
        namespace, _, name = tag.rpartition(SEPARATOR)
        if self._depth == 1 and (value := _value(self._pieces, name in HTML)):
            self.items[-1][1].setdefault((namespace == NAMESPACE, name), []).append(value)
        elif self._depth > 1:
            self._pieces.append((True, f"</{name}>" if self._path[self._depth_of_item] in HTML else ""))
        if len(self._path) == self._depth_of_item:
            self._depth_of_item = 0
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._depth > 0:
            self._pieces.append((self._depth > 1, text))

    @property
    def _depth(self) -> int:
        """How deep in an item an element is: 1 is one of its values, 0 or less no part of it."""
        return len(self._path) - self._depth_of_item if self._depth_of_item else 0


def _value(pieces: list[tuple[bool, str]], html: bool) -> str:
    """The text of an element: what its inner elements hold with colons between it, or all of it as it runs."""
    whole = "".join(text for _, text in pieces).strip()
    if html or any(text.strip() for inner, text in pieces if not inner):
        return whole
    return ":".join(text.strip() for _, text in pieces if text.strip())
