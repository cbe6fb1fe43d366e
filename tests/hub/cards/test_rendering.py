"""The text of a card has the facts, and no markup of others."""

import json
import re

import pytest

from hf_fashion.hub.cards.facts import CardFacts, CorpusFacts, RunFacts
from hf_fashion.hub.cards.kinds import model_kind
from hf_fashion.hub.cards.pictures import CURVES, RESULTS
from hf_fashion.hub.cards.rendering import render_text
from tests.model_cards import KINDS, e2_evaluation, run_facts, save_model


SECTIONS = ["How to use", "Training data", "Training", "Results", "Limits", "Bias", "Citation"]


def render(kind: str, tmp_path, facts: CardFacts, evaluations=(), pictures=(CURVES, RESULTS), **changes) -> str:
    config = json.loads((save_model(kind, tmp_path / kind) / "config.json").read_text()) | changes
    return render_text("me/model", model_kind(config), config, facts, evaluations, pictures)


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_which_nothing_is_known_has_a_card(kind, tmp_path):
    text = render(kind, tmp_path, CardFacts(), pictures=())
    wanted = ["How to use", "Limits", "Bias", *(["Citation"] if kind != "backbone" else [])]
    assert headings(text) == wanted and "<img" not in text and text.startswith("# me/model\n")


@pytest.mark.parametrize("kind", KINDS)
def test_photos_are_opened_upright_and_keep_their_transparent_parts_for_the_processor(kind, tmp_path):
    text = render(kind, tmp_path, CardFacts())
    assert text.count("Image.open(") == text.count("ImageOps.exif_transpose(Image.open(")
    assert "convert(" not in text, "it would make transparent parts black, which the processor makes white"


def test_facts_of_the_run_are_shown(tmp_path):
    text = render("e2", tmp_path, CardFacts(run_facts()))
    assert headings(text) == [name for name in SECTIONS if name != "Results"]
    for fact in ("2,400", "- leak: 1 row", "2 min, with validation", "CPU, 2 cores", "torch 2.13.0", "1,234", CURVES):
        assert fact in text
    assert "logos" in text and "seasons" in text and "drawings" not in text


@pytest.mark.parametrize("kind", ["e2", "clip"])
def test_weighted_entities_are_named(kind, tmp_path):
    assert "EI-CLIP" not in render(kind, tmp_path / "plain", CardFacts())
    text = render(kind, tmp_path, CardFacts(), weighted_entities=["brand", "colour"])
    assert "words that name `brand`, `colour`, each kind" in text.replace("\n", " ")


def test_drawings_are_said(tmp_path):
    assert "It has seen drawings only" in render("e2", tmp_path, CardFacts(run_facts(corpus="generated")))


def test_tables_have_no_broken_lines(tmp_path):
    odd = "a|b\n## c <script> `x`"
    corpus = CorpusFacts(odd, rows={odd: 3}, columns={"image": odd, "tags": {odd: odd}}, findings=[odd])
    run = RunFacts({"name": "```\n# x"}, corpus, hardware={"device": odd}, versions={"torch": odd})
    text = render("e2", tmp_path, CardFacts(run))
    assert headings(text) == [name for name in SECTIONS if name != "Results"] and "<script" not in text
    assert [line for line in text.splitlines() if line.startswith("| ") and line.count("|") != 3] == []
    assert text.count("\n```") % 2 == 0


def test_baselines_are_named_above_the_tables_that_hold_them(tmp_path):
    on_test = e2_evaluation()
    on_validation = on_test | {"split": "validation"}
    places = {name: on_test[name] for name in ("corpus", "split", "entities", "localisation")}
    facts = CardFacts(baselines={"CLIP-FT": on_test, "Places": places})
    text = render("e2", tmp_path, facts, [on_validation, on_test])
    assert "On the split `validation` of `owner/shop` without 1 rows whose photo cannot be read:" in text
    assert "On the split `test` of `owner/shop` without 1 rows whose photo cannot be read, next to CLIP-FT on " in text
    assert "Places" not in text


def test_many_values_of_an_attribute_are_shortened(tmp_path):
    values = {"neckline": [f"v{number}" for number in range(30)], "sleeve_length": [], "pattern": ["a"]}
    text = render("ipad", tmp_path, CardFacts(), attribute_values=values)
    assert "v19 and 10 more |" in text and "| not listed |" in text


def test_the_embedder_of_an_fr_is_named_without_its_path(tmp_path):
    text = render("feature_reasoning", tmp_path, CardFacts().with_run(run_facts("feature_reasoning")))
    assert "re-ranks the searches of `ipad`" in text and "/home/me" not in text
