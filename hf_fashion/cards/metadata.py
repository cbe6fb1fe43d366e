"""Renew the metadata of a card; what people set, changed or removed in it stays.

The last line of a card holds a hash of each field that hf_fashion wrote, and one of each tag and evaluation result.
"""

import re
from collections.abc import Mapping
from typing import Any

from .hashes import short_hash


Fields = Mapping[str, Any]

RECORD = re.compile(r"^<!-- hf_fashion: metadata (?P<fields>.*) -->\n?", re.MULTILINE)


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
        if name in written and not (name in _SHARED and name in old):
            fields[name] = (new if _hashes(name, old.get(name)) == written[name] else old).get(name)
        elif name in _SHARED:
            fields[name] = _SHARED[name](old.get(name), new.get(name), written.get(name, []))
        else:
            fields[name] = new.get(name, old.get(name))
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _merged_tags(old: Any, new: Any, written: list[str]) -> list[Any]:
    """Tags of people, and ours without those that people removed."""
    theirs = [one for one in _items("tags", old) if short_hash(one) not in written]
    removed = set(written).difference(_hashes("tags", old))
    return theirs + [one for one in _items("tags", new) if one not in theirs and short_hash(one) not in removed]


def _merged_index(old: Any, new: Any, written: list[str]) -> list[Fields]:
    """Results of people below the name of their model, and ours, without those that people removed, below its own."""
    old, new = old or [], new or []
    removed = set(written).difference(_hashes("model-index", old))
    name = new[0].get("name") if new else None
    ours = _our_entry(old, name, written)
    models: dict[str | None, list[Any]] = {name: []} if new else {}
    for entry in old:
        is_ours = entry is ours
        results = models.setdefault(name if is_ours and new else entry.get("name"), [])
        results += [one for one in _items("model-index", [entry]) if not (is_ours and short_hash(one) in written)]
    for entry in new:
        results = models.setdefault(entry.get("name"), [])
        found = _items("model-index", [entry])
        results += [one for one in found if one not in results and short_hash(one) not in removed]
    named = ((name, results) for name, results in models.items() if results)
    return [{"name": name, "results": results} if name else {"results": results} for name, results in named]


def _our_entry(old: list[Fields], name: str | None, written: list[str]) -> Fields | None:
    """That of the model's name or, where the model was renamed, the first with a result that we wrote."""
    named = [entry for entry in old if name and entry.get("name") == name]
    known = [entry for entry in old if set(written).intersection(_hashes("model-index", [entry]))]
    return next(iter(named + known), None)


# Lists to which people add. Other fields are theirs or ours as a whole.
_SHARED = {"tags": _merged_tags, "model-index": _merged_index}


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
