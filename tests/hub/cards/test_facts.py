"""Facts are kept in the folder, without what a page must not tell: rows, paths, thousands of losses."""

import json

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.corpus_report import CorpusReport
from hf_fashion.data.encoded_photos import BadImage
from hf_fashion.data.leaks import Leak
from hf_fashion.hub.cards.facts import FACTS_FILE, CardFacts, CorpusFacts, RunFacts, hub_id, public_name
from tests.model_cards import run_facts


def test_facts_are_read_as_they_were_written(tmp_path):
    facts = CardFacts(license="mit", evaluations=[{"corpus": "shop"}]).with_run(
        RunFacts({"a": 1}, CorpusFacts("shop"))
    )
    facts.write(tmp_path)
    assert CardFacts.read(tmp_path) == facts


def test_a_folder_without_facts(tmp_path):
    assert CardFacts.read(tmp_path) == CardFacts()


@pytest.mark.parametrize("text", ["{", "[]", '{"license": "mit"}', '{"run": {"x": 1}}', '{"run": null, "x": 1}'])
def test_a_damaged_file_is_named(text, tmp_path):
    (tmp_path / FACTS_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"card\.json does not hold the facts of a card .*: remove it"):
        CardFacts.read(tmp_path)


def test_the_corpus_is_described_without_its_rows():
    report = CorpusReport(
        {"train": 9, "validation": 2},
        {"train": [BadImage(3, "cut short"), BadImage(4, "empty")]},
        {"validation": [1]},
        [Leak("photo", "train", "validation", ((0, 1),))],
        {"train": {3: "line 4: /home/me/secret.jpg"}},
    )
    splits = {"train": range(7), "validation": range(2)}
    column_map = ColumnMap(caption="title", tags={"brand": "label"})
    facts = CorpusFacts.of("/home/me/shop.csv", splits, column_map, ("caption", "attributes"), report)
    assert facts.rows == {"train": 7, "validation": 2}
    assert facts.name == "shop.csv" and facts.hub_id is None
    assert facts.columns == {"image": "image", "caption": "title"}
    assert facts.findings == [
        "train: 2 unreadable photos were skipped",
        "validation: 1 rows have no caption",
        "leak: 1 row of validation with a photo of train",
    ]
    assert "secret" not in repr(facts)


def test_no_path_is_written(tmp_path):
    recipe = {
        "data": {"corpus": "/home/me/shop", "cache_folder": "~/cache"},
        "model": {"start_from": "/home/me/e2/best"},
    }
    CardFacts().with_run(RunFacts(recipe | {"list": ["/home/me/x", 1]})).write(tmp_path)
    text = (tmp_path / FACTS_FILE).read_text()
    assert "/home/me" not in text
    written = json.loads(text)["run"]["recipe"]
    assert written["data"] == {"corpus": ".../shop", "cache_folder": ".../cache"}
    assert written["model"]["start_from"] == ".../e2" and written["list"] == [".../x", 1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("../customers/acme/catalogue.csv", ".../catalogue.csv"),
        ("customers/acme", ".../acme"),
        ("s3://acme-photos/2026/catalogue.csv", ".../catalogue.csv"),
        ("https://user:key@shop/catalogue.csv?key=1/2", ".../catalogue.csv"),
        ("runs/acme/e2/best", ".../e2"),
        ("openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32"),
        ("catalogue.csv", "catalogue.csv"),
    ],
)
def test_of_paths_and_addresses_the_last_part_is_written(value, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers" / "acme").mkdir(parents=True)
    facts = CardFacts().with_run(RunFacts({"model": {"start_from": value}}))
    assert facts.run.recipe["model"]["start_from"] == shown
    if shown != value:
        assert hub_id(shown) is None and public_name(shown) == shown.removeprefix(".../")


def test_a_long_history_keeps_its_evaluations_and_its_last_loss():
    history = [{"update": number, "loss": 1.0} for number in range(1, 1008)]
    history[10:10] = [{"update": 10, "validation/map": 0.5}]
    kept = CardFacts().with_run(RunFacts({}, history=history)).run.history
    assert len(kept) <= 201 and {"update": 10, "validation/map": 0.5} in kept and kept[-1]["update"] == 1007


def test_the_metrics_are_those_of_the_last_evaluation():
    assert run_facts().metrics["sum_recall"] == 2.1 and "update" not in run_facts().metrics
    assert RunFacts({}, history=[{"update": 1, "loss": 2.0}]).metrics == {}


@pytest.mark.parametrize(
    ("source", "id_there", "name"),
    [
        ("owner/shop", "owner/shop", "owner/shop"),
        ("openai-clip", "openai-clip", "openai-clip"),
        ("generated", None, "generated"),
        ("/data/shop", None, "shop"),
        ("./shop", None, "shop"),
        ("runs/shop/e2/best", None, "e2"),
        (None, None, None),
    ],
)
def test_ids_and_paths(source, id_there, name):
    assert hub_id(source) == id_there
    assert source is None or public_name(source) == name


def test_a_folder_goes_before_an_id(tmp_path, monkeypatch):
    (tmp_path / "owner" / "shop").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert hub_id("owner/shop") is None and public_name("owner/shop") == "shop"
