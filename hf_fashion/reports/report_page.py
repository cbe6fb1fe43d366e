"""Show a report as one self-contained HTML page: tables, rows of pictures, green frames around right results."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from ..files import file_written_aside


STYLE = """
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; font-size: 1.25rem; } p { max-width: 46rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #888; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: flex-start; margin: .3rem 0 1.4rem; }
.query { flex: 0 0 9rem; font-weight: 600; }
figure { width: 8.5rem; margin: 0; } figure img { width: 100%; } .wide { width: auto; } .wide img { width: auto; }
img { box-sizing: border-box; max-width: 100%; border: 4px solid #ddd; }
.right img, td.right { border: 4px solid #1a8f3c; } .wide img { border: 0; }
figcaption, .text { font-size: .8rem; line-height: 1.3; overflow-wrap: anywhere; }
.text { flex: 1 1 12rem; padding-left: 1.2rem; } .text .right { font-weight: 600; color: #1a6b31; }
"""


def write_page(path: str | Path, title: str, introduction: str, sections: Sequence[tuple[str, str]]) -> None:
    """Write the page: a reader sees the old file or the whole new one.

    Args:
        path (`str` or `pathlib.Path`): the HTML file; its folder is made where it is missing.
        title (`str`): text, without markup.
        introduction (`str`): text, without markup.
        sections (`Sequence[tuple[str, str]]`): heading (text) and body (HTML, made by the other functions here).
    """
    parts = [f"<h2>{escape(heading)}</h2>\n{body}" for heading, body in sections]
    head = (
        f'<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>'
    )
    body = "\n".join([f"<h1>{escape(title)}</h1>", paragraph(introduction), *parts])
    page = f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n'
    with file_written_aside(path) as aside:
        aside.write_text(page + "</body>\n</html>\n", encoding="utf-8")


def paragraph(text: str) -> str:
    """Return text as a paragraph of HTML.

    Args:
        text (`str`): text, without markup.
    """
    return f"<p>{escape(text)}</p>"


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts as HTML; the first column is aligned left, the others right.

    Args:
        header (`Sequence[str]`): the labels of the columns.
        rows (`Sequence[Sequence[str]]`): the cells of each row.
    """
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def picture(image: Image.Image, alt: str, caption: str = "", kind: str = "") -> str:
    """Return a picture as HTML, embedded as JPEG.

    Args:
        image (`PIL.Image.Image`): the picture.
        alt (`str`): its description, for readers who do not see it.
        caption (`str`, *optional*, defaults to `""`): text below it.
        kind (`str`, *optional*, defaults to `""`): `"right"` for a green frame, `"wide"` to keep the size.
    """
    encoded = io.BytesIO()
    image.convert("RGB").save(encoded, format="JPEG", quality=90)
    source = "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{kind}"><img src="{source}" alt="{escape(alt, quote=True)}">{below}</figure>'


def picture_row(query: str, results: Sequence[str]) -> str:
    """Return a row of HTML: a query and, next to it, its results.

    Args:
        query (`str`): text, without markup.
        results (`Sequence[str]`): HTML, from `picture` or `ranked_texts`.
    """
    return f'<div class="row"><div class="query">{escape(query)}</div>{"".join(results)}</div>'


def ranked_texts(texts: Sequence[str], right: Sequence[bool]) -> str:
    """Return a numbered list of texts as HTML, the right ones in bold green.

    Args:
        texts (`Sequence[str]`): the results, best first.
        right (`Sequence[bool]`): which of them are right.
    """
    items = (
        f'<li class="{"right" if hit else "wrong"}">{escape(text)}</li>'
        for text, hit in zip(texts, right, strict=True)
    )
    return f'<ol class="text">{"".join(items)}</ol>'
