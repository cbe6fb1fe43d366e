"""Tables have a column for each model that was evaluated on the same data."""

from hf_fashion.hub.cards.tables import attribute_comparison, result_tables
from tests.model_cards import (
    ATTRIBUTES,
    RETRIEVAL,
    attribute_evaluation,
    e2_evaluation,
    fashion_iq_evaluation,
    run_facts,
)


def test_tables_of_e2_next_to_a_baseline():
    tables = result_tables(
        "E2", e2_evaluation(), {"CLIP-FT": e2_evaluation(), "Other": e2_evaluation() | {"split": "x"}}
    )
    recall = tables["Search by text and by photo (%)"]
    assert recall.startswith("| %") and "CLIP-FT" in recall and "ceiling" in recall and "Other" not in recall
    assert "most frequent" in tables["Tags, zero-shot, and photos by tag (%)"]
    assert "brand_layer_2" in tables["Selected patches and true boxes (%)"]


def test_tables_without_a_baseline():
    tables = result_tables("IPAD", attribute_evaluation(), {})
    assert list(tables) == ["Search by one attribute (%)", "Re-ranking (%)"]
    assert "candidates" in tables["Search by one attribute (%)"]


def test_tables_of_a_captioner():
    captions = {"num_photos": 6, "bleu@4": 0.2, "meteor_without_synonyms": 0.4, "rouge_l": 0.45, "cider": 1.6}
    said = {"entities": ["brand"], "brand_num_captions": 6, "brand_accuracy": 0.32, "brand_true_captions": 1.0}
    evaluation = {"corpus": "shop", "split": "test", "captions": captions, "said_tags": said, "examples": []}
    tables = result_tables("a captioner", evaluation, {})
    assert "BLEU@4" in tables["Captions (%)"] and "45.0" in tables["Captions (%)"]
    assert "| brand" in tables["Tags that captions name (%)"] and "32.0" in tables["Tags that captions name (%)"]


def test_fashion_iq_and_what_was_left_out_of_it():
    evaluation = fashion_iq_evaluation()
    ((title, table),) = result_tables("E2", evaluation, {}).items()
    assert title == "Fashion-IQ: search by a photo and what to change in it (%)"
    assert "R@50" in table and "| dress |   sum | 25.0 |" in table
    evaluation["fashion_iq"]["dress_num_left_out_queries"] = 3
    (title,) = result_tables("E2", evaluation, {})
    assert title.endswith(
        "(%); 3 queries and 0 photos to search are left out, since the corpus lacks photos: not comparable with "
        "published results"
    )


def test_attributes_of_two_models():
    header, rows = attribute_comparison({"IPAD": RETRIEVAL, "ASEN": RETRIEVAL | {"neckline_map": 0.1}}, ATTRIBUTES)
    assert header == ["MAP (%)", "IPAD", "ASEN", "chance"]
    assert rows[0] == ["neckline", "70.0", "10.0", "40.0"] and rows[-1] == [
        "mean of attributes",
        "50.0",
        "50.0",
        "25.0",
    ]
    table = result_tables("IPAD", attribute_evaluation(), {"ASEN": attribute_evaluation()})[
        "Search by one attribute (%)"
    ]
    assert "ASEN" in table


def test_metrics_of_somebody_s_own_evaluation_are_listed():
    for part, measured in (("cross_modal", {"ndcg": 0.5}), ("reranking", {"FR": {"ndcg": 0.5}})):
        (table,) = result_tables("FR", {"corpus": "x", "split": "y", part: measured}, {}).values()
        assert "| ndcg   |   0.5 |" in table


def test_those_of_a_baseline_too():
    mine, others = ({"corpus": "x", "split": "y", "cross_modal": {"ndcg": value}} for value in (0.5, 0.25))
    (table,) = result_tables("E2", mine, {"CLIP-FT": others}).values()
    assert "| metric |  E2 | CLIP-FT |" in table and "| ndcg   | 0.5 |    0.25 |" in table


def test_a_backbone_has_accuracies():
    metrics = {
        "corpus": "x",
        "split": "y",
        "attributes": ["neckline"],
        "classification": run_facts("backbone").metrics,
    }
    assert "| neckline" in result_tables("a backbone", metrics, {})["Values of attributes (%)"]


def test_names_of_others_are_text_and_nothing_else():
    baseline = {"<img src=x>|[log in](https://evil)": e2_evaluation()}
    (first, *_) = result_tables("E2", e2_evaluation(), baseline).values()
    assert "<img" not in first and "[log in]" not in first and "&#60;img" in first
