"""Renew the metadata of a card; what people set, changed or removed in it stays.

The last line of a card holds a hash of each field that hf_fashion wrote, and one of each tag and evaluation result.
"""

import re
from collections.abc import Mapping
from typing import Any

from .hashes import short_hash


Fields = Mapping[str, Any]

RECORD = re.compile(r"^<!-- hf_fashion: metadata (?P<fields>.*) -->\n?", re.MULTILINE)
# Lists to which people add. Other fields are theirs or ours as a whole.
_SHARED = ("tags", "model-index")


def record(fields: Fields) -> str:
    """Return the line of a card that remembers which metadata hf_fashion wrote.

    Args:
        fields (`Mapping[str, Any]`): the metadata.
    """
    hashes = (f"{name}={'+'.join(_hashes(name, value))}" for name, value in fields.items())
    return f"<!-- hf_fashion: metadata {' '.join(hashes)} -->\n"


def renew_fields(old: Fields, new: Fields, old_text: str) -> dict[str, Any]:
    """Return the new metadata, with what people set, changed or removed in the old one.

    Args:
        old (`Mapping[str, Any]`): the metadata that is there.
        new (`Mapping[str, Any]`): the metadata that hf_fashion would write.
        old_text (`str`): the text of the old card, which may have a line from [`record`].
    """
    written = _read_record(old_text)
    fields: dict[str, Any] = {}
    for name in old | new:
        if name in _SHARED:
            fields[name] = _shared(name, old, new, written.get(name, []))
        elif name not in written:
            fields[name] = new.get(name, old.get(name))
        else:
            fields[name] = (new if _hashes(name, old.get(name)) == written[name] else old).get(name)
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _shared(name: str, old: Fields, new: Fields, written: list[str]) -> list[Any]:
    """Items of people, and ours."""
    theirs = [one for one in _items(name, old.get(name)) if short_hash(one) not in written]
    items = theirs + [one for one in _items(name, new.get(name)) if one not in theirs]
    if name == "tags" or not items:
        return items
    return [{"name": (new.get(name) or old[name])[0]["name"], "results": items}]


def _items(name: str, value: Any) -> list[Any]:
    if name == "tags":
        return [value] if isinstance(value, str) else list(value or [])
    if name == "model-index":
        return [result for model in value or [] for result in model.get("results") or []]
    return [value]


def _hashes(name: str, value: Any) -> list[str]:
    return [short_hash(one) for one in _items(name, value)]


def _read_record(text: str) -> dict[str, list[str]]:
    match = RECORD.search(text)
    pairs = (entry.partition("=") for entry in (match["fields"].split() if match else []))
    return {name: hashes.split("+") for name, _, hashes in pairs}
