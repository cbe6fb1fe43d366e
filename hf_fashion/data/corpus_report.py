"""Report of the check of a corpus: rows kept and skipped, empty captions, leaks."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..messages import name_rows
from .encoded_photos import BadImage
from .leaks import Leak


@dataclass(frozen=True)
class CorpusReport:
    """
    Report of `check_corpus`. Row numbers count from 0 in the split as loaded. Prints as a few lines.

    Args:
        rows (`dict[str, int]`): split -> rows kept.
        skipped (`dict[str, list[BadImage]]`): split -> rows dropped because their photo cannot be read.
        empty_captions (`dict[str, list[int]]`): split -> rows without a caption.
        leaks (`list[Leak]`): photos and titles that are in two splits.
    """

    rows: dict[str, int]
    skipped: dict[str, list[BadImage]] = field(default_factory=dict)
    empty_captions: dict[str, list[int]] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = ["corpus: " + ", ".join(f"{name} {count:,} rows" for name, count in self.rows.items())]
        lines += [f"skipped: {describe_bad_images(name, bad)}" for name, bad in self.skipped.items()]
        lines += [f"no caption: {name}, {name_rows(rows)}" for name, rows in self.empty_captions.items()]
        lines += [f"leak: {leak}" for leak in self.leaks]
        return "\n".join(lines)


def describe_bad_images(split: str, bad: list[BadImage]) -> str:
    """Describe bad images, as `"train: 2 unreadable images, rows 3, 17 (row 3: no image)"`.

    Args:
        split (`str`): name of the split.
        bad (`list[BadImage]`): at least one.
    """
    count = f"{len(bad):,} unreadable image{'' if len(bad) == 1 else 's'}"
    return f"{split}: {count}, {name_rows([image.row for image in bad])} (row {bad[0].row}: {bad[0].reason})"
