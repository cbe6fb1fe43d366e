"""The page: a form, the results, and one product in a dialog."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from .api import add_api
from .cards import example_row, header, message, product_dialog, result_lists, summary
from .errors import explained
from .filters import condition, not_filtered
from .form import Fields, examples_of, filter_fields, option_fields, search_fields
from .queries import Form
from .shop import Shop


KEPT_SECONDS = 3600  # photos that were uploaded are deleted after this time
LONGEST_EXAMPLE = 1024  # pixels of the longest edge
GREETING = "Search by a photo, by words, or by both. Or click an example."
NAMES = ("examples", "told", "results", "dialog")
SCRIPTS = {name: Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8") for name in NAMES}
HIDDEN = {"api_visibility": "private"}


def build_page(shop: Shop) -> gr.Blocks:
    """Return the page of a shop, and the calls for programs.

    Args:
        shop ([`Shop`]): what is searched.
    """
    with gr.Blocks(title="Fashion search", analytics_enabled=False, delete_cache=(KEPT_SECONDS,) * 2) as page:
        gr.HTML(header(shop))
        examples = gr.HTML(example_row(shop, examples_of(shop)), js_on_load=SCRIPTS["examples"], elem_id="examples")
        with gr.Row(elem_id="parts"):
            with gr.Column(scale=1, min_width=280, elem_id="form"):
                fields = search_fields(shop)
                button = gr.Button("Search", variant="primary", elem_id="search")
                fields |= option_fields(shop)
                filters = filter_fields(shop)
            with gr.Column(scale=3, min_width=280):
                told = gr.HTML(message(GREETING), js_on_load=SCRIPTS["told"], elem_id="told")
                results = gr.HTML(js_on_load=SCRIPTS["results"], elem_id="results")
        dialog = gr.HTML(js_on_load=SCRIPTS["dialog"], elem_id="dialog")
        connect_search(shop, fields, filters, button, examples, told, results)
        connect_dialog(shop, results, dialog)
        add_api(shop, fields)
    return page


def connect_search(
    shop: Shop,
    fields: Fields,
    filters: Sequence[gr.components.Component],
    button: gr.Button,
    examples: gr.HTML,
    told: gr.HTML,
    results: gr.HTML,
) -> None:
    """Search when the button, Enter, an example or the switch of FR is used.

    Args:
        shop ([`Shop`]): what is searched.
        fields (`dict`): the form.
        filters (`Sequence`): fields of the filters.
        button (`gr.Button`): starts a search.
        examples (`gr.HTML`): buttons of the examples.
        told (`gr.HTML`): sentences about the search.
        results (`gr.HTML`): what was found.
    """

    def search_page(*values: Any) -> tuple[str, str]:
        given = dict(zip(fields, values, strict=False))
        return found_or_told(shop, given, values[len(fields) :])

    searching = {"fn": search_page, "inputs": [*fields.values(), *filters], "outputs": [told, results], **HIDDEN}
    attribute, rerank = fields["attribute"], fields["rerank"]
    texts = [fields[name].submit for name in ("words", "avoid", "change")]
    gr.on([button.click, *texts, rerank.input], **searching)
    # FR is for searches by one attribute.
    switch = {"fn": lambda name: gr.Checkbox(False, visible=shop.reranks and bool(name)), "inputs": attribute}
    attribute.input(**switch, outputs=rerank, **HIDDEN)

    def fill(event: gr.EventData) -> list[Any]:
        return filled_form(shop, list(fields), _clicked(event).get("example"))

    filled = [*fields.values(), *filters]
    examples.click(fill, None, filled, show_progress="hidden", **HIDDEN).then(**searching)


def connect_dialog(shop: Shop, results: gr.HTML, dialog: gr.HTML) -> None:
    """Open the dialog of a product when it is clicked.

    Args:
        shop ([`Shop`]): what is searched.
        results (`gr.HTML`): the products.
        dialog (`gr.HTML`): shows one of them.
    """

    def open_product(event: gr.EventData) -> str:
        clicked = _clicked(event)
        return product_or_told(shop, str(clicked.get("product")), str(clicked.get("attribute") or ""))

    results.click(open_product, None, dialog, show_progress="hidden", **HIDDEN)


def found_or_told(shop: Shop, given: Mapping[str, Any], filters: Sequence[Any]) -> tuple[str, str]:
    """Search, and return a sentence and the results as HTML; an error is a sentence without results.

    Args:
        shop ([`Shop`]): what is searched.
        given (`Mapping`): values of the form's fields, by the names of [`Form`].
        filters (`Sequence`): values of the filters' fields.
    """
    started = time.monotonic()
    with explained() as problem:
        form = Form(**given, filter=condition(shop.filters, filters))
        found = shop.search(form)
        sentence = summary(shop, found, time.monotonic() - started)
        return sentence, result_lists(shop, found, form.attribute)
    return message(problem.sentence, is_error=True), ""


def product_or_told(shop: Shop, product_id: str, attribute: str) -> str:
    """Return the dialog of a product as HTML, with its heat maps or the reason why there are none.

    Args:
        shop ([`Shop`]): what is searched.
        product_id (`str`): id of the product.
        attribute (`str`): the attribute that was compared, `""` for the whole product.
    """
    maps, caption = {}, None
    with explained() as problem:
        maps = shop.heat_maps(product_id, attribute)
    with explained():  # what keeps a photo from being read is told in place of the maps
        caption = shop.caption(product_id)
    with explained() as unknown:
        return product_dialog(shop, product_id, attribute, maps, problem.sentence, caption)
    return message(unknown.sentence, is_error=True)


def filled_form(shop: Shop, names: Sequence[str], example: Any) -> list[Any]:
    """Return the values of the form's fields, and of the filters', for an example; what was in them before is cleared.

    Args:
        shop ([`Shop`]): what is searched.
        names (`Sequence[str]`): names of the fields.
        example (`Any`): number of the example, which a browser has sent.

    Raises:
        gr.Error: there is no such example, or its photo cannot be read.
    """
    examples = [values for _, values in examples_of(shop)]
    if example not in list(range(len(examples))):
        raise gr.Error("There is no such example.", print_exception=False)
    cleared = {"photo": None, "words": "", "avoid": "", "change": "", "rerank": False, "photo_weight": 1}
    cleared["attribute"] = "" if shop.whole else shop.attributes[0]
    values = cleared | examples[example]
    if values["photo"] is not None:
        values["photo"] = _example_photo(shop, values["photo"])
    values["rerank"] = gr.Checkbox(values["rerank"], visible=shop.reranks and bool(values["attribute"]))
    return [values.get(name, gr.skip()) for name in names] + not_filtered(shop.filters)


def _example_photo(shop: Shop, product_id: str) -> Image.Image:
    with explained() as problem:
        photo = shop.products.photo(product_id)
        # The field keeps it as PNG, which of a photo of many pixels may be larger than the field takes.
        photo.thumbnail((LONGEST_EXAMPLE, LONGEST_EXAMPLE))
        return photo
    raise gr.Error(problem.sentence, print_exception=False)


def _clicked(event: gr.EventData) -> Mapping[str, Any]:
    """What the browser has sent with a click: anything at all."""
    return event._data if isinstance(event._data, Mapping) else {}
