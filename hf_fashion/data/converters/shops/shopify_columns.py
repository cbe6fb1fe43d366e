"""The columns of Shopify's product export, and what we call them."""

import re
from collections.abc import Sequence
from pathlib import Path

from ....messages import did_you_mean
from ...sources.source_rows import SOURCE_ROW


# Our names of the columns, and Shopify's, the older ones first. Letter case does not count.
COLUMNS = {
    "id": ("Handle", "URL handle"),
    "title": ("Title",),
    "description": ("Body (HTML)", "Description"),
    "brand": ("Vendor",),
    "category": ("Product Category",),
    "type": ("Type",),
    "tags": ("Tags",),
    "status": ("Status",),
    "price": ("Variant Price", "Price"),
    "image": ("Image Src", "Product image URL"),
    "position": ("Image Position",),
    "variant_image": ("Variant Image", "Variant image URL"),
}
NEEDED = ("id", "title", "image")
OPTION = re.compile(r"(option\d+) (name|value)", re.IGNORECASE)
METAFIELD = re.compile(r".*\((product|variant)\.metafields\.(.+)\)", re.DOTALL)


def column_names(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Return our name -> the header's, of the columns that are read for themselves.

    Args:
        path (`Path`): the file, for the message.
        header (`Sequence[str]`): its columns.

    Raises:
        ValueError: one that is needed is missing.
    """
    by_lower = {name.lower(): name for name in header}
    names = {}
    for ours, known in COLUMNS.items():
        found = [by_lower[name.lower()] for name in known if name.lower() in by_lower]
        if found:
            names[ours] = found[0]
    missing = [COLUMNS[name][0] for name in NEEDED if name not in names]
    if missing:
        raise ValueError(
            f"{path}, line 1: no column {missing[0]!r}{did_you_mean(missing[0], header)}: is it Shopify's export of "
            f"products? Its columns: {', '.join(header[:20])}"
        )
    return names


def other_columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Return our name -> the header's, of the columns that are kept as they are.

    Ours has underscores, unless another column is called so: then it is the header's.

    Args:
        path (`Path`): the file, for the message.
        header (`Sequence[str]`): its columns.

    Raises:
        ValueError: a column has the name of one that is made here.
    """
    read, taken = column_names(path, header).values(), {*COLUMNS, SOURCE_ROW}
    others: dict[str, str] = {}
    for name in header:
        if not name.strip() or name in read or OPTION.fullmatch(name.strip()):
            continue
        plain = _plain_name(name)
        is_free = plain and plain not in taken and plain not in others and not plain.startswith("option_")
        ours = plain if is_free else name
        if ours in taken or ours in others:
            raise ValueError(f"{path}, line 1: the column {name!r} has the name of one that is made here: rename it")
        others[ours] = name
    return others


def _plain_name(name: str) -> str:
    words = name
    if metafield := METAFIELD.fullmatch(name):
        words = f"{'variant ' * (metafield[1] == 'variant')}metafield {metafield[2]}"
    return re.sub(r"\W+", "_", words.lower()).strip("_")
