"""Report of the check of a corpus: rows kept and skipped, empty captions, leaks."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..messages import listed
from .encoded_photos import BadImage
from .leaks import Leak


@dataclass(frozen=True)
class CorpusReport:
    """
    Report of `check_corpus`. Row numbers count from 0 in the split as loaded. Prints as lines that name the rows as
    their source does.

    Args:
        rows (`dict[str, int]`): split -> rows kept.
        skipped (`dict[str, list[BadImage]]`): split -> rows dropped because their photo cannot be read.
        empty_captions (`dict[str, list[int]]`): split -> rows without a caption.
        leaks (`list[Leak]`): photos and titles that are in two splits.
        places (`dict[str, dict[int, str]]`): split -> row -> line of its feed, id and photo, of the rows above.
        held_out (`str`, *optional*): how many of `rows` a training does not use, and why.
    """

    rows: dict[str, int]
    skipped: dict[str, list[BadImage]] = field(default_factory=dict)
    empty_captions: dict[str, list[int]] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)
    places: dict[str, dict[int, str]] = field(default_factory=dict)
    held_out: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = ["corpus: " + ", ".join(f"{name} {count:,} rows" for name, count in self.rows.items())]
        lines += [f"held out: {self.held_out}"] if self.held_out else []
        lines += [f"skipped: {self.describe_bad_images(name)}" for name in self.skipped]
        lines += [f"no caption: {self.describe_empty_captions(name)}" for name in self.empty_captions]
        lines += [f"leak: {self.describe_leak(leak)}" for leak in self.leaks]
        return "\n".join(lines)

    def describe_bad_images(self, split: str, advice: str = "") -> str:
        """Describe the bad images of a split, as `"train: 2 unreadable images"` and a line for each.

        Args:
            split (`str`): one of `skipped`.
            advice (`str`, *optional*): what to do about them.
        """
        bad = self.skipped[split]
        count = f"{len(bad):,} unreadable image{'' if len(bad) == 1 else 's'}"
        lines = [f"{self._place(split, image.row)}: {image.reason}" for image in bad]
        return listed(f"{split}: {count}{advice}", lines)

    def describe_empty_captions(self, split: str, advice: str = "") -> str:
        """Describe the rows of a split without a caption.

        Args:
            split (`str`): one of `empty_captions`.
            advice (`str`, *optional*): what to do about them.
        """
        rows = self.empty_captions[split]
        count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
        return listed(f"{split}: {count}{advice}", [self._place(split, row) for row in rows])

    def describe_leak(self, leak: Leak, advice: str = "") -> str:
        """Describe a leak by the rows that have the same photo or title.

        Args:
            leak ([`Leak`]): one of `leaks`.
            advice (`str`, *optional*): what to do about it.
        """
        pairs = ((self._place(leak.first, first), self._place(leak.second, second)) for first, second in leak.rows)
        return listed(f"{leak}{advice}", [f"{leak.first}: {a} = {leak.second}: {b}" for a, b in pairs])

    def _place(self, split: str, row: int) -> str:
        return self.places.get(split, {}).get(row, f"row {row}")
