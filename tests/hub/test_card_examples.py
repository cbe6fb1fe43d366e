"""The examples in `model_cards/` are what the templates make of the facts next to them."""

import re

import pytest
from huggingface_hub import DatasetCard, ModelCard

from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.writing import make_card
from hf_fashion.retrieval.repository.card import gallery_card
from hf_fashion.retrieval.repository.manifest import GalleryManifest
from tests.conftest import REPOSITORY
from tests.hub_metadata_rules import metadata_errors


EXAMPLES = REPOSITORY / "model_cards" / "examples"
MODELS = sorted(path.parent.name for path in EXAMPLES.glob("*/card.json"))
RENDER = "run `python model_cards/render.py --again`"


@pytest.mark.parametrize("name", MODELS)
def test_an_example_is_as_its_template(name):
    made = make_card(EXAMPLES / name, f"your-name/{name}")
    assert (EXAMPLES / name / CARD).read_text(encoding="utf-8") == made.text, RENDER
    assert all((EXAMPLES / name / picture).is_file() for picture in made.pictures), RENDER


def test_the_example_of_a_gallery_is_as_its_template():
    folder = EXAMPLES / "gallery"
    made = gallery_card(GalleryManifest.read(folder), "your-name/gallery")
    assert (folder / CARD).read_text(encoding="utf-8") == made, RENDER
    assert metadata_errors(made) == [] and DatasetCard(made).data.tags


def test_there_is_an_example_of_each_quickstart_model():
    assert MODELS == ["clip_ft", "e2", "fr", "ipad"]


@pytest.mark.parametrize("name", MODELS)
def test_the_hub_takes_an_example(name):
    card = ModelCard.load(EXAMPLES / name / CARD)
    assert metadata_errors(str(card)) == [] and len(card.data.eval_results) > 5
    pictures = re.findall(r'<img src="([^"]+)"', card.text)
    assert len(pictures) == 2 and all((EXAMPLES / name / picture).is_file() for picture in pictures)


def test_nothing_of_a_machine_is_in_an_example():
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES.rglob("*") if path.suffix in (".md", ".json")]
    assert [text for text in texts if re.search(r'["\s`](/tmp|/home|/root|~/)', text)] == []
