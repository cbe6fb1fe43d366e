"""Read H&M's articles, whose photos are in folders by the first three digits of their ids."""

import logging
import re
from pathlib import Path

from ...messages import listed, missing_column
from ..feeds.csv_rows import CsvTable
from ..feeds.encoding import read_text
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits
from .source_files import find_file, folder_of


logger = logging.getLogger(__name__)

ARTICLES = "articles.csv"
ID = "article_id"
TAGS = ("product_type_name", "colour_group_name", "graphical_appearance_name", "department_name", "product_group_name")
DIGITS = 10
SHORT_ID = re.compile(r"\d{8,10}")


def read_hm(source: Path, images: Path | None = None) -> Splits:
    """Read H&M's articles: a row for each article, with all columns of `articles.csv` as text, and a `caption`.

    The caption is the article's description, or its name where it has none. Ids have ten digits: zeros that a
    spreadsheet has dropped are added again, with a warning.

    Args:
        source (`Path`): `articles.csv`, or a folder that holds it.
        images (`Path`, *optional*): folder with `010/0108775015.jpg`. Default: `images` in the source.

    Raises:
        FileNotFoundError: there is no `articles.csv`.
        ValueError: naming file and line: a column is missing, a row cannot be read, or an id is not one.
    """
    path = find_file(source, ARTICLES)
    folder = images or folder_of(source) / "images"
    table = CsvTable(path, read_text(path), ID)
    rows = table.rows()
    for column in (ID, "prod_name", "detail_desc", *TAGS):
        if column not in table.header:
            raise ValueError(f"{path}: {missing_column(column, 'of articles.csv', table.header)}")
    wrong = [f"line {line}: {row[ID]!r}" for line, row in rows if not SHORT_ID.fullmatch(row[ID] or "")]
    if wrong:
        raise ValueError(listed(f"{path}: ids that are not {DIGITS} digits", wrong))
    short = [f"line {line}: {row[ID]}" for line, row in rows if len(row[ID] or "") < DIGITS]
    if short:
        head = f"{path}: ids with fewer than {DIGITS} digits, which get their zeros again"
        logger.warning("%s", listed(head, short))
    return {"train": [_row(row, folder) | {SOURCE_ROW: f"{path.name}, line {line}"} for line, row in rows]}


def _row(cells: dict[str, str | None], folder: Path) -> Row:
    article = (cells[ID] or "").zfill(DIGITS)
    photo = folder / article[:3] / f"{article}.jpg"
    own = {ID: article, "caption": cells["detail_desc"] or cells["prod_name"], "image": str(photo)}
    return cells | own
