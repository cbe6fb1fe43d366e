"""The code of every card runs as it is on the model that was pushed, without hf_fashion where it does without."""

import json
from pathlib import Path

import pytest

from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.merge import card_for_hub
from hf_fashion.hub.cards.writing import write_card
from tests.hub.processes import run_python
from tests.hub_server import HubServer
from tests.model_cards import KINDS, save_model_with_facts
from tests.tiny_attribute import tiny_photos


# Blocks that run without hf_fashion, and with it.
BLOCKS = {
    "e2": (2, 1),
    "clip": (2, 1),
    "filip": (2, 0),
    "asen": (2, 1),
    "ipad": (2, 1),
    "feature_reasoning": (1, 0),
    "captioner": (1, 0),
    "combiner": (1, 0),
    "backbone": (1, 0),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Return a folder with the model of each kind, its card as it is pushed."""
    parent = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        folder = save_model_with_facts(kind, parent / kind, license="apache-2.0", language=["en"])
        write_card(folder)
        (folder / CARD).write_text(card_for_hub(folder, f"tester/{kind}"), encoding="utf-8")
    return parent


@pytest.mark.parametrize("mode", ["own", "hf_fashion"])
def test_the_code_of_the_cards_runs(mode, folders, tmp_path):
    (tmp_path / "photos").mkdir()
    for number, photo in enumerate(tiny_photos()):
        photo.save(tmp_path / "photos" / f"{number}.jpg")
    tiny_photos()[0].save(tmp_path / "photo.jpg")
    kinds = [kind for kind in KINDS if BLOCKS[kind][mode != "own"]]
    isolated = ["-I"] if mode == "own" else []
    with HubServer() as hub:
        script = Path(__file__).with_name("run_card_code.py")
        run_python([*isolated, str(script), mode, str(folders), *kinds], tmp_path, hub.environment())
    results = json.loads((tmp_path / "results.json").read_text())
    assert {kind: found["blocks"] for kind, found in results.items()} == {k: BLOCKS[k][mode != "own"] for k in kinds}
    assert all(found["results"] > 0 for found in results.values())
