"""Check the rows of a converted corpus: ids that come twice, photos that are not there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...files import similar_file
from ...messages import listed
from ..encoded_photos import is_url
from ..sources.source_rows import SOURCE_ROW


# A row by its columns. `image` is a photo or a list of them: a path, a URL or a photo in a tar. `source_row` is where
# it is in its file.
Row = dict[str, Any]
Splits = dict[str, list[Row]]


def views_of(row: Row) -> list[Any]:
    """Return the photos of a row, none where it has none.

    Args:
        row (`dict`): a row.
    """
    image = row["image"]
    return image if isinstance(image, list) else [] if image is None else [image]


def urls_of(splits: Splits) -> dict[str, str]:
    """Return the URLs of all photos, each with the place of the first row that names it.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows.
    """
    places: dict[str, str] = {}
    for row in all_rows(splits):
        for view in views_of(row):
            if isinstance(view, str) and is_url(view):
                places.setdefault(view, row[SOURCE_ROW])
    return places


def all_rows(splits: Splits) -> Iterator[Row]:
    """Yield the rows of all splits.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows.
    """
    for rows in splits.values():
        yield from rows


def require_distinct(splits: Splits, column: str) -> None:
    """Raise if a value that names one row of a split comes twice in it, or is missing.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows.
        column (`str`): the column of ids.

    Raises:
        ValueError: naming the rows.
    """
    problems = [problem for rows in splits.values() for problem in _id_problems(rows, column)]
    if problems:
        raise ValueError(
            listed(f"{len(problems):,} rows without an id of their own in {column!r}: repair them", problems)
        )


def missing_photos(splits: Splits) -> list[str]:
    """Return the rows without a photo and those whose photo is no file, with its path.

    Args:
        splits (`dict[str, list[Row]]`): split -> rows.
    """
    found = []
    for row in all_rows(splits):
        views = views_of(row)
        lost = [view for view in views if isinstance(view, str) and not is_url(view) and not Path(view).is_file()]
        if lost:
            found.append(f"{row[SOURCE_ROW]}: there is no file {lost[0]}{similar_file(lost[0])}")
        elif not views:
            found.append(f"{row[SOURCE_ROW]}: it has no photo")
    return found


def _id_problems(rows: list[Row], column: str) -> Iterator[str]:
    first: dict[Any, str] = {}
    for row in rows:
        value, place = row.get(column), row[SOURCE_ROW]
        if value is None:
            yield f"{place}: it has none"
        elif value in first:
            yield f"{place}: {value!r} is that of {first[value]} too"
        else:
            first[value] = place
