"""Render the example cards from the models of the quickstart.

    make quickstart
    make cards

With `--again`, after a template has changed, they are rendered from their own files, without a quickstart.

Writes `model_cards/examples/NAME`: the card with its pictures, and the small files that it is made of, so that a test
sees whether templates and examples are equal. Weights are not copied.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import AutoModel, AutoProcessor

import hf_fashion
from hf_fashion.cards.card import CARD
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.files import folder_written_aside
from hf_fashion.hub.cards.facts import CardFacts
from hf_fashion.hub.cards.metadata import WIDGET_FOLDER
from hf_fashion.hub.cards.pictures import save_pictures
from hf_fashion.hub.cards.writing import make_card
from hf_fashion.retrieval.repository.card import gallery_card
from hf_fashion.retrieval.repository.manifest import GalleryManifest


QUICKSTART = Path("runs/quickstart")
EXAMPLES = Path(__file__).parent / "examples"
OWNER = "your-name"
# Example -> its model in the quickstart's results.
MODELS = {"e2": "E2", "clip_ft": "CLIP-FT", "ipad": "IPAD", "fr": "FR"}
PHOTOS = ("dress-1.jpg", "coat-1.jpg")  # drawn by hf_fashion: nobody else has a right to them


def main() -> None:
    """Render the card of each model, and that of a gallery."""
    if sys.argv[1:] == ["--again"]:
        for folder in MODELS:
            write(EXAMPLES / folder, f"{OWNER}/{folder}")
        write_gallery_card(EXAMPLES / "gallery")
        return
    path = QUICKSTART / "results.json"
    if not path.is_file():
        sys.exit(f"{path} is missing: run `make quickstart` first")
    results = json.loads(path.read_text(encoding="utf-8"))["models"]
    evaluations = {name: evaluation(measured) for name, measured in results.items()}
    for folder, name in MODELS.items():
        baselines = {"CLIP-FT": evaluations["CLIP-FT"]} if name == "E2" else {}
        with folder_written_aside(EXAMPLES / folder, replace=True) as aside:
            render_model(QUICKSTART / folder / "best", aside, f"{OWNER}/{folder}", evaluations[name], baselines)
    render_gallery()
    print(f"{EXAMPLES} is written.")


def evaluation(measured: dict[str, Any]) -> dict[str, Any]:
    """Return results of the quickstart in the form of `hf-fashion evaluate`."""
    if "FR" in measured:  # and the baselines
        measured = {"reranking": measured}
    column_map = ColumnMap.shipped("generated")
    names = {"entities": list(column_map.tags), "attributes": list(column_map.attributes), "seed": 0}
    return {"corpus": "generated", "split": "validation", **names, **measured}


def render_model(source: Path, folder: Path, name: str, measured: dict[str, Any], baselines: dict[str, Any]) -> None:
    """Write the example of a model, whose training wrote the facts of its run."""
    shutil.copy(source / "config.json", folder)
    replace(CardFacts.read(source), evaluations=[measured], baselines=baselines).write(folder)
    for photo in PHOTOS if "cross_modal" in measured or "retrieval" in measured else ():  # FR has no widget
        (folder / WIDGET_FOLDER).mkdir(exist_ok=True)
        shutil.copy(QUICKSTART / "photos" / photo, folder / WIDGET_FOLDER)
    write(folder, name)


def write(folder: Path, name: str) -> None:
    """Write the card of an example and its pictures, as if nobody had changed them."""
    made = make_card(folder, name)
    (folder / CARD).write_text(made.text, encoding="utf-8")
    save_pictures(made.pictures, folder)


def render_gallery() -> None:
    """Write the example of a gallery: the quickstart's photos, embedded by its E2."""
    e2 = QUICKSTART / "e2" / "best"
    photos = hf_fashion.load_corpus(QUICKSTART / "photos")["train"]
    parts = AutoModel.from_pretrained(e2), AutoProcessor.from_pretrained(e2)
    with TemporaryDirectory() as work, folder_written_aside(EXAMPLES / "gallery", replace=True) as aside:
        gallery = hf_fashion.Gallery.from_dataset(photos, *parts, uri=f"{work}/gallery", id_column="file_name")
        gallery.save_pretrained(f"{work}/saved")
        GalleryManifest.read(Path(work, "saved")).write(aside)
        write_gallery_card(aside)


def write_gallery_card(folder: Path) -> None:
    """Write the card of the example of a gallery."""
    (folder / CARD).write_text(gallery_card(GalleryManifest.read(folder), f"{OWNER}/gallery"), encoding="utf-8")


if __name__ == "__main__":
    main()
