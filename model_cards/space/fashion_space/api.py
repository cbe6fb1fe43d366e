"""The calls for programs: `/search` gives what the pipeline gives, `/heat_maps` the pictures, `/about` the models."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from PIL import Image

from .errors import explained
from .form import Fields
from .queries import Form
from .shop import Shop


def add_api(shop: Shop, fields: Fields) -> None:
    """Add the calls to the page, where nothing of them is seen.

    Args:
        shop ([`Shop`]): what is searched.
        fields (`dict`): the form, whose fields are the arguments of `/search`.
    """
    button = gr.Button(visible=False)
    condition = gr.Textbox("", label="filter", visible=False)
    product, attribute = gr.Textbox(label="product_id", visible=False), gr.Textbox("", label="attr", visible=False)
    answer = gr.JSON(visible=False)
    pictures = gr.Gallery(visible=False, format="png")

    # Only the photo's default counts: those of the others are what the fields hold at first.
    def search(
        photo=None, words="", avoid="", change="", attribute="", rerank=False, photo_weight=1, top_k=1, filter=""
    ):
        """Search by photo, words, a photo and its change, or one attribute; `filter` is a condition in SQL."""
        form = Form(photo, words, avoid, photo_weight, attribute, filter, top_k, rerank, change)
        return search_answer(shop, form)

    def heat_maps(product_id, attribute) -> list[tuple[Image.Image, str]]:
        """Paint where the model looks in a product's photo, for the whole product or an attribute."""
        with explained() as problem:
            return [(picture, name) for name, picture in shop.heat_maps(product_id, attribute).items()]
        raise gr.Error(problem.sentence, print_exception=False)

    def about() -> dict[str, Any]:
        """Name the models, the number of products, the attributes and the metadata columns."""
        return {
            "statement": shop.statement,
            "products": len(shop),
            "attributes": shop.attributes,
            "columns": shop.columns,
        }

    button.click(search, [*fields.values(), condition], answer, api_name="search")
    button.click(heat_maps, [product, attribute], pictures, api_name="heat_maps")
    button.click(about, None, answer, api_name="about")


def search_answer(shop: Shop, form: Form) -> dict[str, Any]:
    """Search, and return the results as JSON can hold them.

    Args:
        shop ([`Shop`]): what is searched.
        form ([`Form`]): the search.

    Raises:
        gr.Error: with a sentence, where the search is not possible.
    """
    with explained() as problem:
        found = shop.search(form)
        results = found.results if found.reranked is None else found.reranked
        # JSON has no dates: they are written as text.
        return {"model": found.engine.name, "results": json.loads(json.dumps(results, default=str))}
    raise gr.Error(problem.sentence, print_exception=False)
