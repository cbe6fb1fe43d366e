"""An exported model has a card of its run; what people wrote into it is kept by the next export."""

from pathlib import Path
from types import SimpleNamespace

import torch
from huggingface_hub import ModelCard

from hf_fashion.cards.card import CARD
from hf_fashion.hub.cards.facts import CardFacts, CorpusFacts
from hf_fashion.training.card import write_run_card
from hf_fashion.training.checkpoints import RunState
from tests.tiny_feature_reasoning import tiny_feature_reasoning


ACCELERATOR = SimpleNamespace(device=torch.device("cpu"), num_processes=2, mixed_precision="bf16")


def export(folder: Path, final: Path, **card) -> None:
    model = tiny_feature_reasoning()
    model.save_pretrained(folder)
    history = [{"update": 4, "loss": 1.0}, {"update": 4, "validation/map": 0.6, "validation/initial_map": 0.5}]
    recipe = {"training": {"seed": 7}, "card": card}
    state = RunState(update=4, seconds=61.26, history=history, recipe=recipe)
    write_run_card(folder, final, model, state, ACCELERATOR, CorpusFacts("shop", rows={"train": 9}))


def test_a_card_of_the_run(tmp_path):
    export(tmp_path / "aside", tmp_path / "best", license="mit", language=["en"])
    run = CardFacts.read(tmp_path / "aside").run
    assert run.update == 4 and run.seconds == 61.3 and run.parameters > 100 and run.versions["torch"]
    card = ModelCard.load(tmp_path / "aside" / CARD)
    assert f'from_pretrained("{tmp_path / "best"}"' in card.text and "| precision | mixed, bf16 |" in card.text
    assert card.data.license == "mit" and card.data.language == ["en"]
    assert {result.metric_value for result in card.data.eval_results} == {0.6, 0.5} and "| map    " in card.text


def test_what_people_wrote_is_kept(tmp_path):
    export(tmp_path / "best", tmp_path / "best")
    card = tmp_path / "best" / CARD
    card.write_text(card.read_text().replace("## Bias\n", "## Bias\n\n- Few hats.\n"))
    export(tmp_path / "aside", tmp_path / "best", license="mit")
    assert "- Few hats." in (tmp_path / "aside" / CARD).read_text()


def test_models_of_other_kinds_get_no_card(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    write_run_card(tmp_path, tmp_path, tiny_feature_reasoning(), RunState(), ACCELERATOR, None)
    assert not (tmp_path / CARD).exists()
