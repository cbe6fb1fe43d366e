"""The form: fields of a search, its filters, and examples to click."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .cards import in_words
from .filters import Filter, NumberFilter
from .photo_field import photo_field
from .queries import LONGEST
from .shop import Shop


WHOLE = "the whole product"
MOST_RESULTS = 48
DEFAULT_RESULTS = 12
EXAMPLE_PHOTOS = 2

Fields = dict[str, gr.components.Component]


def search_fields(shop: Shop) -> Fields:
    """Return the fields of the form, by the names of [`Form`]; those that the models cannot use are hidden.

    Args:
        shop ([`Shop`]): what is searched.
    """
    photo = photo_field(label="Photo", sources=["upload", "clipboard"], height=200, buttons=[], elem_id="photo")
    return {"photo": photo} | _word_fields(shop) | _attribute_fields(shop)


def option_fields(shop: Shop) -> Fields:
    """Return the fields that are seldom changed.

    Args:
        shop ([`Shop`]): what is searched.
    """
    most = min(MOST_RESULTS, len(shop))
    weight = {"label": "Weight of the photo next to words", "step": 0.1, "visible": shop.reads_words}
    with gr.Accordion("More options", open=False):
        return {
            "photo_weight": gr.Slider(0, 2, 1, **weight),
            "top_k": gr.Slider(1, most, min(DEFAULT_RESULTS, most), step=1, label="Number of results"),
        }


def filter_fields(shop: Shop) -> list[gr.components.Component]:
    """Return the fields of all filters: two numbers for a range, a choice of several values for the others.

    Args:
        shop ([`Shop`]): what is searched.
    """
    with gr.Accordion("Filters", open=False, visible=bool(shop.filters), elem_id="filters"):
        return [field for filter in shop.filters for field in _fields_of(filter)]


def examples_of(shop: Shop) -> list[tuple[str, dict[str, Any]]]:
    """Return searches to click: a label, and values of fields; a photo is named by its product.

    Args:
        shop ([`Shop`]): what is searched.
    """
    found = [_words_example(text) for text in shop.settings.examples.split(";") if text.strip()]
    found = found if shop.reads_words else []
    first = shop.products.first(EXAMPLE_PHOTOS)
    if shop.whole:
        found += [("Like this one", {"photo": product}) for product in first]
    if shop.attributes:
        attribute = shop.attributes[0]
        values = {"photo": first[0], "attribute": attribute, "rerank": shop.reranks}
        found.append((f"The same {in_words(attribute)}", values))
    return found


def _words_example(text: str) -> tuple[str, dict[str, Any]]:
    words, _, avoid = (part.strip() for part in text.partition("--"))
    return f"{words}, without {avoid}" if avoid else words, {"words": words, "avoid": avoid}


def _word_fields(shop: Shop) -> Fields:
    common = {"value": "", "max_length": LONGEST, "visible": shop.reads_words}
    return {
        "words": gr.Textbox(
            label="Words",
            placeholder="a red dress; with buttons = 0.5",
            info="Put ; between several. Each may have a weight.",
            elem_id="words",
            **common,
        ),
        "avoid": gr.Textbox(
            label="Without",
            placeholder="stripes",
            info="What you do not want to see.",
            elem_id="avoid",
            **common,
        ),
        "change": gr.Textbox(
            label="Change of the photo",
            placeholder="in red",
            info="What is different from the photo.",
            elem_id="change",
            **common,
        ),
    }


def _attribute_fields(shop: Shop) -> Fields:
    choices = [(WHOLE, "")] if shop.whole else []
    choices += [(in_words(name), name) for name in shop.attributes]
    (_, first), *others = choices
    return {
        "attribute": gr.Dropdown(choices, value=first, label="Compare", visible=bool(others), elem_id="attribute"),
        "rerank": gr.Checkbox(
            False, label="Re-rank with FR, and compare", visible=shop.reranks and first != "", elem_id="rerank"
        ),
    }


def _fields_of(filter: Filter) -> list[gr.components.Component]:
    name = in_words(filter.column)
    if not isinstance(filter, NumberFilter):
        choices = [(_shown(value), value) for value in filter.choices]
        return [gr.Dropdown(choices, label=name, multiselect=True)]
    with gr.Row():
        ends = (("from", filter.low), ("to", filter.high))
        return [gr.Number(end, label=f"{name} {word}", min_width=100) for word, end in ends]


def _shown(value: str | bool) -> str:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
