"""Read Shopify's product export, in which a product has a row for each of its variants and photos."""

import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datasets import Value

from ....messages import listed, shown
from ...feeds.csv_rows import CsvTable
from ...feeds.encoding import read_text
from ...sources.source_rows import SOURCE_ROW
from ..corpus_rows import Row, Splits
from ..source_files import find_files, folder_of, photo_place
from .html_text import plain_text
from .shopify_columns import OPTION, column_names, other_columns


logger = logging.getLogger(__name__)

TEXTS = ("title", "description", "brand", "category", "type", "tags", "status")
NUMBER = re.compile(r"\d+(\.\d*)?")
ACTIVE = "active"  # the status of what is for sale
NO_OPTION = ("title", "Default Title")  # the option of a product without any, and its value
FEATURES = {"price": Value("float64")}

Cells = Mapping[str, str | None]


def read_shopify(source: Path, images: Path | None = None) -> Splits:
    """Read Shopify's product export: a row for each product (Handle), whose `image` is the list of its photos.

    Title and description are stripped of HTML. `price` is the lowest of the variants; `option_color` and others hold
    the values of an option, joined by commas. So do the other columns that have any, under names with underscores
    (`variant_sku`, `google_shopping_gender`, `metafield_custom_color`). Products that are not active, such as drafts,
    are rows too, and counted in a warning.

    Args:
        source (`Path`): the CSV file, or a folder of several (`products_export_1.csv`).
        images (`Path`, *optional*): folder of photos that are named by paths, not by URLs. Default: the source.

    Raises:
        FileNotFoundError: there is no CSV file.
        ValueError: naming file and line: a column is missing, a row has no Handle, a first row no title, a price or a
            position is no number, an option has no name, two columns have one name, or two products have the same
            Handle, so that their titles, vendors or other texts differ.
    """
    products: dict[str, _Product] = {}
    for path in find_files(source, "*.csv"):
        table = CsvTable(path, read_text(path), "Image Src")
        rows = table.rows()
        if same := table.same_names(str.lower):
            raise ValueError(f"{path}, line 1: {same[0]!r} and {same[-1]!r} are one column: keep one of them")
        names, others = column_names(path, table.header), other_columns(path, table.header)
        problems = []
        for line, cells in rows:
            try:
                _add(products, f"{path.name}, line {line}", cells, names).add_others(others, cells)
            except ValueError as error:
                problems.append(f"line {line}: {error}")
        if problems:
            raise ValueError(listed(f"{path}: {len(problems):,} rows are not as Shopify exports them", problems))
    _log_hidden(source, products)
    return {"train": [_row(handle, product, images or folder_of(source)) for handle, product in products.items()]}


def _log_hidden(source: Path, products: Mapping[str, "_Product"]) -> None:
    """Count the products that customers do not see: a gallery of all rows would show them."""
    found = Counter(product.texts["status"] or ACTIVE for product in products.values())
    if hidden := {status: count for status, count in found.items() if status.lower() != ACTIVE}:
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(hidden.items()))
        logger.warning(
            "%s: of %s products %s; they are rows too, with their `status`", source, f"{found.total():,}", counts
        )


@dataclass
class _Product:
    """One product, as its rows add to it."""

    place: str
    texts: dict[str, str | None]
    photos: list[tuple[float, str]] = field(default_factory=list)
    variant_photos: list[str] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    option_names: dict[str, str] = field(default_factory=dict)
    option_values: dict[str, dict[str, None]] = field(default_factory=dict)
    others: dict[str, dict[str, None]] = field(default_factory=dict)

    def add_variant(self, own: Mapping[str, str], cells: Cells) -> None:
        """Add the photos, price and options of a row."""
        if photo := own.get("image"):
            position = own.get("position")
            self.photos.append((_number("Image Position", position) if position else math.inf, photo))
        if photo := own.get("variant_image"):
            self.variant_photos.append(photo)
        if price := own.get("price"):
            self.prices.append(_number("price", price))
        for option, name, value in _options(cells):
            if name:  # only the first row of a product has it
                self.option_names[option] = name
            self.option_values.setdefault(option, {})[value] = None

    def add_others(self, names: Mapping[str, str], cells: Cells) -> None:
        """Add what a row has in other columns; `names` are theirs by ours."""
        for ours, name in names.items():
            if cell := (cells[name] or "").strip():
                self.others.setdefault(ours, {})[cell] = None

    @property
    def options(self) -> dict[str, str]:
        """The values of each option, in the order of the rows; those of options of one name together.

        Raises:
            ValueError: an option has values and no name.
        """
        values: dict[str, dict[str, None]] = {}
        for option, its in self.option_values.items():
            if option not in self.option_names:
                raise ValueError(f"{self.place}: {option!r} has the value {next(iter(its))!r} and no name")
            values.setdefault(self.option_names[option].lower(), {}).update(its)
        none, its_value = NO_OPTION
        return {
            f"option_{name}": ", ".join(its)
            for name, its in values.items()
            if name != none or list(its) != [its_value]
        }


def _add(products: dict[str, _Product], place: str, cells: Cells, names: Mapping[str, str]) -> _Product:
    """Add a row to its product, which its first row makes, and return it."""
    own = {ours: cell.strip() for ours, name in names.items() if (cell := cells[name])}
    handle, title = own.get("id"), plain_text(own.get("title"))
    if handle is None:
        raise ValueError("no Handle, so it belongs to no product")
    if handle not in products:
        if title is None:
            raise ValueError(f"the first row of {handle!r} has no title")
        products[handle] = _Product(place, {name: plain_text(own.get(name)) for name in TEXTS})
    product = products[handle]
    if title not in (None, product.texts["title"]):
        raise ValueError(f"{handle!r} is the Handle of {product.texts['title']!r} ({product.place}) too")
    for name in TEXTS:
        if (text := plain_text(own.get(name))) is None:
            continue
        if product.texts[name] is None:  # the first row left it empty
            product.texts[name] = text
        if text != product.texts[name]:
            raise ValueError(
                f"{names[name]} {shown(text)} of {handle!r} differs from that of its first row, {product.place}: "
                f"{shown(product.texts[name])}"
            )
    product.add_variant(own, cells)
    return product


def _options(cells: Cells) -> Iterator[tuple[str, str | None, str]]:
    """The option, its name and value, of each that a row has."""
    by_lower = {name.lower(): cell for name, cell in cells.items()}
    for name, cell in by_lower.items():
        found = OPTION.fullmatch(name)
        value = by_lower.get(f"{found[1]} value") if found and found[2] == "name" else None
        if value:
            yield found[1], cell and cell.strip(), value.strip()


def _number(column: str, cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"the {column} {cell!r} is no number: write numbers as 1299.90")
    return float(cell)


def _row(handle: str, product: _Product, folder: Path) -> Row:
    ordered = [photo for _, photo in sorted(product.photos, key=lambda entry: entry[0])]
    return {
        "image": [photo_place(photo, folder) for photo in dict.fromkeys([*ordered, *product.variant_photos])],
        "id": handle,
        **product.texts,
        "price": min(product.prices, default=None),
        **product.options,
        **{name: ", ".join(values) for name, values in product.others.items()},
        SOURCE_ROW: product.place,
    }
