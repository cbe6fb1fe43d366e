"""Check a corpus before training: columns, types, captions, photos, leaks."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain

from datasets import Dataset, DatasetDict

from ..messages import listed
from .attributes.vocabulary import attribute_cells
from .column_map import ColumnMap
from .columns import column_problems
from .corpus_report import CorpusReport
from .encoded_photos import BadImage, verify_images
from .leaks import Leak, find_photo_leaks, find_title_leaks
from .product_groups import products_of_several_titles
from .sources.source_rows import name_sources
from .sources.streams import require_tables
from .values import caption_texts, is_placeholder


logger = logging.getLogger(__name__)


class CorpusError(ValueError):
    """Everything that is wrong with a corpus, in one message; `problems` holds its lines."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__("the corpus cannot be used as it is:\n" + "\n".join(f"- {problem}" for problem in problems))


def check_corpus(
    corpus: DatasetDict,
    column_map: ColumnMap,
    on_bad_image: str = "error",
    on_leak: str = "error",
    require_caption: bool = True,
) -> tuple[DatasetDict, CorpusReport]:
    """
    Check every split against the column map, and return the corpus without the skipped rows.

    Wrong columns are reported first, before any row is read. All problems of the rows (captions, photos, leaks) are
    then reported together, and named as the source of the corpus does: line of the feed, id, photo. A skipped row is
    not checked further. Row numbers of the report count from 0 in the split.

    Args:
        corpus (`DatasetDict`): splits to check.
        column_map (`ColumnMap`): the columns that will be read.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"skip"` drops and counts the rows whose photo cannot
            be read.
        on_leak (`str`, *optional*, defaults to `"error"`): `"warn"` keeps photos and titles that are in two splits,
            and logs them.
        require_caption (`bool`, *optional*, defaults to `True`): whether the map must name a caption and every row
            must have one.

    Returns:
        `tuple[DatasetDict, CorpusReport]`: the corpus without the skipped rows, and what was found.

    Raises:
        ValueError: for an unknown `on_bad_image` or `on_leak`, or a streaming dataset.
        CorpusError: a `ValueError` with all problems.
    """
    require_tables(corpus)
    _require_choice("on_bad_image", on_bad_image, ("error", "skip"))
    _require_choice("on_leak", on_leak, ("error", "warn"))
    problems = column_problems(corpus, column_map, require_caption)
    if problems:
        raise CorpusError(problems)
    bad = _filled({name: verify_images(split, column_map.image, name) for name, split in corpus.items()})
    checked = DatasetDict({name: without_rows(split, bad.get(name, [])) for name, split in corpus.items()})
    skipped = {name: {image.row for image in images} for name, images in bad.items()} if on_bad_image == "skip" else {}
    empty = find_empty_captions(corpus, column_map.caption, skipped) if column_map.caption else {}
    leaks = find_photo_leaks(corpus, column_map.image, skipped)
    leaks += find_title_leaks(corpus, column_map.caption, skipped) if column_map.caption else []
    places = {
        name: dict(zip(rows, name_sources(corpus[name], rows, column_map.product_id, column_map.image), strict=True))
        for name, rows in _named_rows(bad, empty, leaks).items()
    }
    report = CorpusReport({name: len(split) for name, split in checked.items()}, bad, empty, leaks, places)
    problems = _content_problems(report, on_bad_image, on_leak, require_caption)
    if problems:
        raise CorpusError(problems)
    for line in str(report).splitlines()[1:]:
        logger.warning(line)
    for name, split in checked.items():
        _warn_of_shared_ids(split, column_map, name)
        _warn_of_placeholders(split, column_map, name)
    return checked, report


def find_empty_captions(
    corpus: DatasetDict, column: str, left_out: Mapping[str, Collection[int]] | None = None
) -> dict[str, list[int]]:
    """Find the rows (counted from 0) of each split whose caption is null, empty, blank or a word such as `nan`.

    Splits without such rows are left out.

    Args:
        corpus (`DatasetDict`): the splits.
        column (`str`): the column of captions.
        left_out (`dict[str, set[int]]`, *optional*): split -> rows to ignore.
    """
    left_out = left_out or {}
    empty = {}
    for name, split in corpus.items():
        missing = [row for row, text in enumerate(caption_texts(split, column)) if text is None]
        empty[name] = [row for row in missing if row not in left_out.get(name, ())]
    return _filled(empty)


def without_rows(dataset: Dataset, bad: list[BadImage]) -> Dataset:
    """Return the dataset without the rows of bad images, in the same order; the dataset itself if there are none."""
    dropped = {image.row for image in bad}
    return dataset.select([row for row in range(len(dataset)) if row not in dropped]) if dropped else dataset


def _warn_of_shared_ids(split: Dataset, column_map: ColumnMap, name: str) -> None:
    found = products_of_several_titles(split, column_map)
    if found:
        head = f"{name}: {len(found):,} ids of rows with different titles, which are taken for views of one product"
        places = (name_sources(split, rows, None, column_map.image) for rows in found.values())
        lines = [f"{product!r}: {', '.join(rows)}" for product, rows in zip(found, places, strict=True)]
        logger.warning("%s", listed(head, lines))


def _warn_of_placeholders(split: Dataset, column_map: ColumnMap, name: str) -> None:
    for column in dict.fromkeys((*column_map.tags.values(), *column_map.attributes.values())):
        found = Counter(filter(is_placeholder, chain.from_iterable(attribute_cells(split, column))))
        for text, count in found.items():
            logger.warning(
                f"{name}: {count:,} cells of column {column!r} are {text!r}, which counts as a value like any other; "
                "leave them empty if they have none"
            )


def _named_rows(
    bad: Mapping[str, list[BadImage]], empty: Mapping[str, list[int]], leaks: list[Leak]
) -> dict[str, list[int]]:
    """The rows of each split that something was found in, sorted."""
    rows: dict[str, set[int]] = {name: {image.row for image in images} for name, images in bad.items()}
    for name, found in empty.items():
        rows.setdefault(name, set()).update(found)
    for leak in leaks:
        for place, name in enumerate((leak.first, leak.second)):
            rows.setdefault(name, set()).update(pair[place] for pair in leak.rows)
    return {name: sorted(found) for name, found in rows.items()}


def _content_problems(report: CorpusReport, on_bad_image: str, on_leak: str, require_caption: bool) -> list[str]:
    problems = []
    if on_bad_image == "error":
        advice = ". Repair them, or choose on_bad_image=skip (--on_bad_image skip)"
        problems += [report.describe_bad_images(name, advice) for name in report.skipped]
    else:
        problems += [f"split {name!r} has no readable image" for name, count in report.rows.items() if count == 0]
    if require_caption:
        advice = " without a caption (it is empty, or a word such as 'nan'). Write them, or drop these rows"
        problems += [report.describe_empty_captions(name, advice) for name in report.empty_captions]
    if on_leak == "error":
        advice = ". Drop them from one split, or choose on_leak=warn (--on_leak warn)"
        problems += [f"leak: {report.describe_leak(leak, advice)}" for leak in report.leaks]
    return problems


def _filled(by_split: dict[str, list]) -> dict[str, list]:
    return {name: found for name, found in by_split.items() if found}


def _require_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}")
