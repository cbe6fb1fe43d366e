"""Read the items of a Google Merchant feed in XML: RSS or Atom, with or without the namespace g."""

from pathlib import Path
from xml.parsers import expat

from ....messages import did_you_mean


NAMESPACE = "http://base.google.com/ns/1.0"
ATOM = "http://www.w3.org/2005/Atom"
RANKS = {NAMESPACE: 2, ATOM: 1, "": 1}  # of namespaces; RSS has none
HTML = ("title", "description", "content", "summary")  # running text, perhaps with HTML that is not escaped
ITEMS = ("item", "entry")
PART = 1 << 24  # bytes; expat reads a name or a value that goes on in the next part again from its beginning
SEPARATOR = " "  # expat writes a name as its namespace, this, and the name in it
# What makes a feed no XML, by expat's names of errors; a feed that is cut off has others.
REPAIRS = {
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: "XML has no such name of HTML: write &#160; for &nbsp;",
    expat.errors.XML_ERROR_INVALID_TOKEN: "Write &amp; for & and &lt; for <, without control characters, in "
    "the encoding that the first line names",
    expat.errors.XML_ERROR_MISPLACED_XML_PI: "Remove what is before <?xml",
}

# Line on which an item begins; the values of its elements by name.
Item = tuple[int, dict[str, list[str]]]


def read_merchant_xml(path: Path) -> list[Item]:
    """Return the items of a feed.

    Of an element that holds others of Google's or Atom's, such as `product_detail`, the value is what they hold with
    colons between it (`Fit:Neckline:V-neck`). Running text may have tags of HTML, which stay in `HTML`. Elements of
    Google hide those of RSS and Atom of the same name, and these hide others (`media:title`).

    Entities and document types, with which a small file fills the memory or reads other files, are refused.

    Args:
        path (`Path`): the feed.

    Raises:
        ValueError: naming the line: it is not XML, or has a document type; or it holds no item.
    """
    reader = _Items()
    try:
        with open(path, "rb") as file:
            while part := file.read(PART):
                reader.parser.Parse(part)
            reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.errors.messages[error.code]
        repair = REPAIRS.get(reason, "Load the feed again")
        raise ValueError(f"{path}, line {error.lineno}: not XML: {reason}. {repair}") from error
    except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise ValueError(f"{path}, line {reader.parser.CurrentLineNumber}: {error}") from error
    if not reader.items:
        near = next((did_you_mean(name, ITEMS) for name in reader.seen if did_you_mean(name, ITEMS)), "")
        raise ValueError(f"{path}: no item (RSS) or entry (Atom) in it{near}: is it a product feed?")
    return [(line, _merged(values)) for line, values in reader.items]


def _merged(values: dict[tuple[int, str], list[str]]) -> dict[str, list[str]]:
    """The values by name; those of a namespace of higher rank hide others."""
    return {name: found for (_, name), found in sorted(values.items(), key=lambda entry: entry[0][0])}


class _Element:
    """An element of an item while it is read: all of its text, and that of each element inside it."""

    def __init__(self, name: str, text: str = ""):
        self.is_html, self.whole, self.parts = name in HTML, [text], []
        self.runs = self.is_html  # whether it is text that goes on behind inner elements
        self._leaf: list[str] | None = None

    def open(self, namespace: str, name: str) -> None:
        """Begin an element inside it."""
        self.runs |= namespace not in RANKS
        self._leaf = []
        self.whole.append(f"<{name}>" if self.is_html else "")

    def close(self, name: str) -> None:
        """End an element inside it."""
        if self._leaf is not None:  # it held no further one
            self.parts.append("".join(self._leaf).strip())
        self._leaf = None
        self.whole.append(f"</{name}>" if self.is_html else "")

    def add(self, text: str, inside: bool) -> None:
        """Add text, of the element or of one inside it."""
        self.runs |= not inside and bool(text.strip())
        self.whole.append(text)
        if inside and self._leaf is not None:
            self._leaf.append(text)

    @property
    def value(self) -> str:
        """Its text as it runs, or the parts with colons between them."""
        return ":".join(self.parts) if self.parts and not self.runs else "".join(self.whole).strip()


class _Items:
    """Collects items while expat reads."""

    def __init__(self):
        self.items: list[tuple[int, dict[tuple[int, str], list[str]]]] = []
        self.seen: set[str] = set()
        self._depth_of_item, self._path = 0, []
        self._element = _Element("")
        self.parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_) -> None:
        raise ValueError("it has a document type (<!DOCTYPE), which is not read: remove it")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(SEPARATOR)
        self._path.append(name)
        self.seen.add(name)
        if name in ITEMS and not self._depth_of_item:
            self._depth_of_item = len(self._path)
            self.items.append((self.parser.CurrentLineNumber, {}))
        elif self._depth == 1:
            self._element = _Element(name, attributes.get("href", "") if name == "link" else "")  # Atom's link
        elif self._depth > 1:
            self._element.open(namespace, name)

    def _end(self, tag: str) -> None:
        namespace, _, name = tag.rpartition(SEPARATOR)
        if self._depth == 1 and (value := self._element.value):
            self.items[-1][1].setdefault((RANKS.get(namespace, 0), name), []).append(value)
        elif self._depth > 1:
            self._element.close(name)
        if len(self._path) == self._depth_of_item:
            self._depth_of_item = 0
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._depth > 0:
            self._element.add(text, self._depth > 1)

    @property
    def _depth(self) -> int:
        """How deep in an item an element is: 1 is one of its values, 0 or less no part of it."""
        return len(self._path) - self._depth_of_item if self._depth_of_item else 0
