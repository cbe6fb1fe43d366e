"""Start the demo: search, heat maps and re-ranking of a catalogue in the browser.

    python app.py

On the Hub it is the Space's `app_file`; in a clone of hf_fashion `make space` starts it on the quickstart's models.
README.md lists the environment variables that name other models and catalogues.
"""

import os
import sys
from pathlib import Path

import gradio as gr
from fashion_space.page import build_page
from fashion_space.photo_field import LARGEST_PHOTO, limit_pixels
from fashion_space.settings import Settings
from fashion_space.shop import Shop


FOLDER = Path(__file__).parent / "fashion_space"
LARGEST_QUEUE = 100  # searches that wait; more are told to come back


def main() -> None:
    """Load models, photos and galleries, then serve the page until it is stopped."""
    try:
        shop = Shop.open(Settings.read(os.environ))
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"The demo cannot start: {error}")
    print(shop.statement)
    serve(shop)


def serve(shop: Shop, **options) -> tuple:
    """Serve the page of a shop.

    Args:
        shop ([`Shop`]): what is searched.
        options (`Any`): more arguments of gradio's `launch`.

    Returns:
        `tuple`: the application, its local URL and its public URL, if it has one.
    """
    limit_pixels()
    page = build_page(shop).queue(default_concurrency_limit=4, max_size=LARGEST_QUEUE)
    looks = {"theme": theme(), "css_paths": FOLDER / "page.css", "footer_links": ["api", "gradio"]}
    return page.launch(max_file_size=LARGEST_PHOTO, show_error=False, **(looks | options))


def theme() -> gr.themes.Base:
    """Return the page's colours and fonts, none of which is fetched from elsewhere."""
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    dark_on_light = {"fill": "*neutral_900", "fill_hover": "*neutral_700", "text_color": "white"}
    light_on_dark = {"fill": "*neutral_100", "fill_hover": "*neutral_300", "text_color": "black"}
    colours = {}
    for ending, button in (("", dark_on_light), ("_dark", light_on_dark)):
        colours[f"button_primary_background_fill{ending}"] = button["fill"]
        colours[f"button_primary_background_fill_hover{ending}"] = button["fill_hover"]
        colours[f"button_primary_text_color{ending}"] = button["text_color"]
    return gr.themes.Default(primary_hue="blue", neutral_hue="slate", **fonts).set(**colours)


if __name__ == "__main__":
    main()
