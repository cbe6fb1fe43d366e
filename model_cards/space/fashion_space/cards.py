"""Draw results, one product and messages as HTML. All that comes from catalogues and users is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from PIL import Image

from .filters import NumberFilter
from .products import data_url
from .shop import Found, Shop


MOST_FACTS = 3  # values under a title
LONGEST_VALUE = 200  # characters of a value


def result_lists(shop: Shop, found: Found, attribute: str) -> str:
    """Return the results as a grid of products; with a re-ranked list, before and after next to each other.

    Args:
        shop ([`Shop`]): titles and photos.
        found ([`Found`]): the results.
        attribute (`str`): the attribute that was compared, `""` for the whole product.
    """
    if found.reranked is None:
        return _grid(shop, found.results, attribute)
    before = f"<section><h3>Before FR</h3>{_grid(shop, found.results, attribute)}</section>"
    after = f"<section><h3>After FR</h3>{_grid(shop, found.reranked, attribute)}</section>"
    return f'<div class="compared">{before}{after}</div>'


def summary(shop: Shop, found: Found, seconds: float) -> str:
    """Return a sentence about a search.

    Args:
        shop ([`Shop`]): what was searched.
        found ([`Found`]): the results.
        seconds (`float`): how long it took.
    """
    if not found.results:
        return message("Nothing meets these filters: choose fewer of them.")
    number = len(found.results)
    return message(
        f"The {number} nearest of {len(shop):,} products, found in {seconds:.2f} s. Click one to look closer."
    )


def message(text: str, is_error: bool = False) -> str:
    """Return a sentence that screen readers read out.

    Args:
        text (`str`): the sentence.
        is_error (`bool`, *optional*, defaults to `False`): whether something went wrong.
    """
    kind, role = ("error", "alert") if is_error else ("note", "status")
    return f'<p class="{kind}" role="{role}">{escape(text)}</p>'


def header(shop: Shop) -> str:
    """Return the page's heading, with its models and the number of products.

    Args:
        shop ([`Shop`]): what is searched.
    """
    return f'<h1>Fashion search</h1><p class="statement">{escape(shop.statement)}</p>'


def product_dialog(
    shop: Shop,
    product_id: str,
    attribute: str,
    maps: Mapping[str, Image.Image],
    problem: str = "",
    caption: str | None = None,
) -> str:
    """Return one product: photo, its caption, heat maps and all metadata.

    Args:
        shop ([`Shop`]): titles and photos.
        product_id (`str`): id of the product.
        attribute (`str`): the attribute that was compared, `""` for the whole product.
        maps (`Mapping[str, PIL.Image.Image]`): name -> photo with its heat map.
        problem (`str`, *optional*): why there are no maps.
        caption (`str`, *optional*): the photo in words.
    """
    metadata = shop.details(product_id)
    known = {name: value for name, value in metadata.items() if value is not None and name != shop.title}
    rows = [("id", product_id), *known.items()]
    facts = "".join(f"<dt>{escape(in_words(name))}</dt><dd>{escape(_text(value))}</dd>" for name, value in rows)
    title = escape(title_of(shop, product_id, metadata))
    looks = f"Where {shop.engine(attribute).name} looks" + (f" for the {in_words(attribute)}" if attribute else "")
    panels = "".join(_panel(name, photo) for name, photo in maps.items())
    shown = f'<div class="maps">{panels}</div>' if maps else message(problem)
    words = "" if caption is None else f"<p>In words: {escape(caption)}</p>"
    photo = _photo(shop, product_id, title)
    return (
        f'<dialog aria-label="{title}"><button type="button" class="close" data-close autofocus>Close</button>'
        f'<h2>{title}</h2><div class="product-parts"><div>{photo}{words}<dl>{facts}</dl></div>'
        f"<div><h3>{escape(looks)}</h3>{shown}</div></div></dialog>"
    )


def title_of(shop: Shop, product_id: str, metadata: Mapping[str, Any]) -> str:
    """Return the title of a product, or its id.

    Args:
        shop ([`Shop`]): knows which column holds titles.
        product_id (`str`): id of the product.
        metadata (`Mapping`): its metadata.
    """
    return _text(metadata.get(shop.title) or product_id)


def in_words(name: str) -> str:
    """Return the name of a column or attribute as people read it.

    Args:
        name (`str`): such as `"sleeve_length"`.
    """
    return name.replace("_", " ")


def example_row(shop: Shop, examples: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Return buttons of examples, with the photo that is searched by.

    Args:
        shop ([`Shop`]): photos.
        examples (`Sequence`): label and values of the form's fields.
    """
    buttons = []
    for number, (label, values) in enumerate(examples):
        photo = _photo(shop, values["photo"], "") if "photo" in values else ""
        buttons.append(f'<button type="button" data-example="{number}">{photo}{escape(label)}</button>')
    return f'<div class="examples" role="group" aria-label="Examples">{"".join(buttons)}</div>'


def _grid(shop: Shop, results: Sequence[dict[str, Any]], attribute: str) -> str:
    return f'<ol class="products">{"".join(_card(shop, result, attribute) for result in results)}</ol>'


def _card(shop: Shop, result: dict[str, Any], attribute: str) -> str:
    product_id, metadata = result["id"], result["metadata"]
    title = escape(title_of(shop, product_id, metadata))
    return (
        f'<li><button type="button" data-product="{escape(product_id)}" data-attribute="{escape(attribute)}">'
        f'{_photo(shop, product_id, "")}<span class="title">{title}</span>'
        f'<span class="facts">{escape(" · ".join(_facts(shop, metadata)))}</span>'
        f'<span class="score">score {result["score"]:.3f}{_moved(result)}</span></button></li>'
    )


def _facts(shop: Shop, metadata: Mapping[str, Any]) -> list[str]:
    """The values that can be filtered by; numbers with the name of their column."""
    named = [(filter.column, isinstance(filter, NumberFilter)) for filter in shop.filters]
    known = [(name, is_number) for name, is_number in named if metadata.get(name) is not None][:MOST_FACTS]
    return [(f"{in_words(name)} " if is_number else "") + _text(metadata[name]) for name, is_number in known]


def _moved(result: dict[str, Any]) -> str:
    """How far a re-ranked product has come."""
    rank, was = result["rank"], result["initial_rank"]
    if rank == was:
        return ""
    way, sign = ("up", "▲") if rank < was else ("down", "▼")
    return f' <span class="{way}">{sign} was {was}</span>'


def _photo(shop: Shop, product_id: str, text: str) -> str:
    source = shop.products.thumbnail(product_id)
    return f'<img src="{source}" alt="{text}">' if source else '<span class="no-photo">no photo</span>'


def _panel(name: str, photo: Image.Image) -> str:
    words = escape(in_words(name))
    return f'<figure><img src="{data_url(photo)}" alt="heat map: {words}"><figcaption>{words}</figcaption></figure>'


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
