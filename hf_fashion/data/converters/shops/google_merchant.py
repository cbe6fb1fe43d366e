"""Read a Google Merchant feed: TSV, CSV or XML."""

import re
from collections.abc import Mapping
from pathlib import Path

from datasets import Value

from ....messages import listed, missing_column
from ...feeds.csv_rows import CsvTable
from ...feeds.encoding import read_text
from ...sources.source_rows import SOURCE_ROW
from ..corpus_rows import Row, Splits
from ..source_files import folder_of, photo_place
from .html_text import plain_text
from .merchant_xml import HTML, read_merchant_xml


NEEDED = ("id", "title", "image_link")
PHOTOS = ("image_link", "additional_image_link")
ALWAYS = ("title", "description", "brand", "color", "product_type")  # columns also where no item has them
PRICES = ("price", "sale_price")
SINGLE = ("id", "title", *PRICES)  # an item has one of each
OURS = ("image", SOURCE_ROW)  # columns that we make
PRICE = re.compile(r"(?:(?P<before>[A-Z]{3}) *)?(?P<number>\d+(?:\.\d+)?)(?: *(?P<behind>[A-Z]{3}))?")
FEATURES = dict.fromkeys(PRICES, Value("float64"))
TABLES = (".tsv", ".txt", ".csv")


def read_google_merchant(source: Path, images: Path | None = None) -> Splits:
    """Read a Google Merchant feed: a row for each item, whose `image` is the list of its photos.

    Other attributes keep their names, with underscores (`google_product_category`); values of one that comes several
    times are joined by commas, those inside one (`product_detail`) by colons. Title and description are stripped of
    HTML. `price` and `sale_price` are numbers, and `currency` holds their currency.

    Args:
        source (`Path`): the feed: `.tsv`, `.txt` or `.csv`, or `.xml` (RSS or Atom, with the namespace g).
        images (`Path`, *optional*): folder of photos that are named by paths, not by URLs. Default: that of the feed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming file and line: the feed cannot be read, an attribute is missing, comes in two columns or has
            the name of a column that is made here, a price is no number, or an item has two ids, titles, prices or
            currencies.
    """
    if not source.is_file():
        raise FileNotFoundError(f"no feed {source}: name the file (.tsv, .txt, .csv or .xml)")
    if source.suffix.lower() not in (*TABLES, ".xml"):
        raise ValueError(f"{source}: a Google Merchant feed is {', '.join(TABLES)} or .xml")
    items = read_merchant_xml(source) if source.suffix.lower() == ".xml" else _table_items(source)
    known = dict.fromkeys(name for _, item in items for name in item)
    for name in NEEDED:
        if name not in known:
            raise ValueError(f"{source}: {missing_column(name, 'of a Google Merchant feed', known)}")
    for name in OURS:
        if name in known:
            raise ValueError(f"{source}: the attribute {name!r} is the name of a column of the corpus: rename it")
    rows, problems = [], []
    for line, item in items:
        try:
            rows.append(_row(item, images or folder_of(source)) | {SOURCE_ROW: f"{source.name}, line {line}"})
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    if problems:
        raise ValueError(listed(f"{source}: {len(problems):,} items are not as Google describes them", problems))
    return {"train": rows}


def _table_items(path: Path) -> list[tuple[int, dict[str, list[str]]]]:
    table = CsvTable(path, read_text(path), "image_link")
    rows = table.rows()
    if same := table.same_names(_attribute):
        raise ValueError(f"{path}, line 1: the columns {', '.join(map(repr, same))} are one attribute: keep one")
    return [(line, {_attribute(name): _split(name, cell) for name, cell in row.items()}) for line, row in rows]


def _attribute(name: str) -> str:
    """An attribute's name as in XML: Google allows `image link` and `Image_Link` too."""
    return name.strip().lower().replace(" ", "_").removeprefix("g:")


def _split(name: str, cell: str | None) -> list[str]:
    """The values of a cell: of further photos several, with commas between them, none of which is part of a URL."""
    if cell is None:
        return []
    if _attribute(name) != "additional_image_link":
        return [cell.strip()]
    return [part.strip() for part in re.split(r",(?=\s*https?://)|,\s", cell) if part.strip()]


def _row(item: Mapping[str, list[str]], folder: Path) -> Row:
    for name in SINGLE:
        values = {_price(name, value) if name in PRICES else value: value for value in item.get(name, [])}
        if len(values) > 1:
            listing = ", ".join(map(repr, values.values()))
            raise ValueError(f"it has {len(values)} values of {name}: {listing}; keep one")
    photos = dict.fromkeys(photo for name in PHOTOS for photo in item.get(name, []))
    others = {name: ", ".join(values) or None for name, values in item.items() if name not in (*PHOTOS, *PRICES)}
    row = dict.fromkeys(ALWAYS) | others | {"image": [photo_place(photo, folder) for photo in photos]}
    row |= {name: plain_text(row[name]) for name in HTML if name in row}
    found = {name: _price(name, item[name][0]) for name in PRICES if item.get(name)}
    currencies = list(dict.fromkeys(filter(None, [others.get("currency"), *(unit for _, unit in found.values())])))
    if len(currencies) > 1:
        raise ValueError(f"its prices are in {' and '.join(currencies)}, and a row has one currency")
    if found:
        row |= {name: number for name, (number, _) in found.items()} | {"currency": next(iter(currencies), None)}
    return row


def _price(name: str, text: str) -> tuple[float, str | None]:
    found = PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"the {name} {text!r} is not written as 1299.90 EUR, in digits with a point and capitals")
    return float(found["number"]), found["behind"] or found["before"]
