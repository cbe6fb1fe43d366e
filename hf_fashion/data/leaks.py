"""Find leaks: photos and titles that are in two splits, so that a model is evaluated on what it has seen."""

import hashlib
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from datasets import Dataset, DatasetDict

from .encoded_photos import encoded_images, read_bytes
from .values import caption_texts, title_as_read


@dataclass(frozen=True)
class Leak:
    """Rows of two splits that share a photo or a title.

    Args:
        kind (`str`): `"photo"` or `"title"`.
        first (`str`): name of the first split.
        second (`str`): name of the second split.
        rows (`tuple[tuple[int, int], ...]`): (row of the first split, row of the second), counted from 0; one pair for
            each such row of the second split.
    """

    kind: str
    first: str
    second: str
    rows: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        count = "1 row" if len(self.rows) == 1 else f"{len(self.rows):,} rows"
        return f"{count} of {self.second} with a {self.kind} of {self.first}"


def find_photo_leaks(
    corpus: DatasetDict, column: str, left_out: Mapping[str, Collection[int]] | None = None
) -> list[Leak]:
    """Find photos whose encoded bytes are the same in two splits. Files that cannot be read are ignored.

    Args:
        corpus (`DatasetDict`): the splits.
        column (`str`): the image column.
        left_out (`dict[str, set[int]]`, *optional*): split -> rows to ignore.
    """
    return compare_keys("photo", {name: photo_keys(split, column) for name, split in corpus.items()}, left_out or {})


def find_title_leaks(
    corpus: DatasetDict, column: str, left_out: Mapping[str, Collection[int]] | None = None
) -> list[Leak]:
    """Find captions that are the same in two splits for CLIP's tokenizer, as [`title_as_read`] returns them.

    Args:
        corpus (`DatasetDict`): the splits.
        column (`str`): the column of captions.
        left_out (`dict[str, set[int]]`, *optional*): split -> rows to ignore.
    """
    return compare_keys("title", {name: title_keys(split, column) for name, split in corpus.items()}, left_out or {})


def photo_keys(dataset: Dataset, column: str) -> list[tuple[int, Hashable]]:
    """Return (row, hash of the encoded bytes) of every photo that can be read; rows are counted from 0.

    Args:
        dataset (`Dataset`): one split.
        column (`str`): the image column.
    """
    keys = []
    for row, views in enumerate(encoded_images(dataset, column)):
        for view in views or ():
            try:
                keys.append((row, hashlib.blake2b(read_bytes(view), digest_size=16).digest()))
            except (OSError, ValueError):
                continue
    return keys


def title_keys(dataset: Dataset, column: str) -> list[tuple[int, Hashable]]:
    """Return (row, caption by [`title_as_read`]) of every row that has a caption.

    Args:
        dataset (`Dataset`): one split.
        column (`str`): the column of captions.
    """
    texts = enumerate(caption_texts(dataset, column))
    return [(row, title_as_read(text)) for row, text in texts if text is not None]


def compare_keys(
    kind: str, keys: Mapping[str, Iterable[tuple[int, Hashable]]], left_out: Mapping[str, Collection[int]]
) -> list[Leak]:
    """Find the keys that two splits have in common.

    Args:
        kind (`str`): `"photo"` or `"title"`.
        keys (`dict[str, list[tuple[int, Hashable]]]`): split -> (row, key), as of `photo_keys`.
        left_out (`dict[str, set[int]]`): split -> rows to ignore.
    """
    keys = {
        name: [(row, key) for row, key in found if row not in left_out.get(name, ())] for name, found in keys.items()
    }
    leaks = []
    for first, second in combinations(keys, 2):
        seen: dict[Hashable, int] = {}
        for row, key in keys[first]:
            seen.setdefault(key, row)
        shared = {row: seen[key] for row, key in keys[second] if key in seen}
        if shared:
            pairs = tuple((other, row) for row, other in shared.items())
            leaks.append(Leak(kind, first, second, pairs))
    return leaks
