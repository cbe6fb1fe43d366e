"""Seeded mutations of bytes, texts and JSON for `fuzz.py`."""

import json
from random import Random
from typing import Any


NUMBERS = (0, 1, -1, 2**31, 2**63, 10**30, -(10**400), 0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"))
TEXTS = (
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "'",
    '"',
    "\u202e",
    "\ud800",
    "../../etc/passwd",
    "a" * 100_000,
    "名",
    "NaN",
    "%s{0}$1",
)
OTHERS = (None, True, False, [], {}, [[]], [None], {"a": {"b": []}})
BYTES = (
    b"\x00",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b'"',
    b"\n",
    b"\r",
    b"{",
    b"\xc3\x28",
)


def strange_value(random: Random) -> Any:
    """Return a number, a text, an empty or a deep value."""
    deep: Any = 1
    for _ in range(random.choice((3, 300))):
        deep = [deep]
    return random.choice((*NUMBERS, *TEXTS, *OTHERS, deep))


def mutate_bytes(random: Random, data: bytes, most: int = 4) -> bytes:
    """Return bytes with one to `most` changes: bits, bytes, cuts, repetitions, insertions."""
    changed = bytearray(data)
    for _ in range(random.randint(1, most)):
        place = (
            random.randrange(len(changed) + 1)
            if random.random() < 0.5
            else random.randrange(min(len(changed), 64) + 1)
        )
        end = min(len(changed), place + random.choice((1, 4, 64, 4096)))
        kind = random.randrange(6)
        if kind == 0 and place < len(changed):
            changed[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            changed[place:end] = random.choice(BYTES)
        elif kind == 2:
            del changed[place:end]
        elif kind == 3:
            changed[place:place] = changed[place:end] * random.choice((1, 2, 50))
        elif kind == 4:
            changed[place:place] = random.randbytes(random.choice((1, 4, 200)))
        else:
            del changed[random.randrange(len(changed) + 1) :]
    return bytes(changed)


def mutate_text(random: Random, text: str) -> str:
    """Return a text with changes of its bytes; what is no UTF-8 then is dropped."""
    return mutate_bytes(random, text.encode("utf-8", "surrogatepass")).decode("utf-8", "ignore")


def mutate_json(random: Random, text: str) -> str:
    """Return JSON with changes of its values, of its text, or with a list that is deeper than parsers go."""
    kind = random.random()
    if kind < 0.05:
        return text.replace(": ", ": " + "[" * 100_000, 1)
    if kind < 0.3:
        return mutate_text(random, text)
    return json.dumps(mutate_tree(random, json.loads(text)))


def mutate_tree(random: Random, tree: Any) -> Any:
    """Return a value of dicts and lists with one to three of its places changed, dropped or added."""
    tree = json.loads(json.dumps(tree))
    for _ in range(random.randint(1, 3)):
        places = list(_places(tree))
        if not places:
            return strange_value(random)
        parent, key = random.choice(places)
        kind = random.random()
        if kind < 0.6:
            parent[key] = strange_value(random)
        elif kind < 0.8:
            del parent[key]
        elif isinstance(parent, dict):
            parent[random.choice(TEXTS[:8])] = parent[key]
        else:
            parent.append(parent[key])
    return tree


def _places(tree: Any):
    """Every (parent, key) of a tree."""
    for key, value in list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from _places(value)
