"""Every metric is a result in the metadata, with its split; ceilings are results too."""

import math

from hf_fashion.hub.cards.results import eval_results
from tests.model_cards import attribute_evaluation, e2_evaluation


def test_every_metric_is_a_result():
    evaluation = e2_evaluation()
    results = eval_results([evaluation])
    metrics = [v for part in ("cross_modal", "tags", "localisation") for v in evaluation[part].values()]
    assert len(results) == sum(isinstance(value, float) for value in metrics)
    assert {result.dataset_split for result in results} == {"test"}


def test_types_are_those_of_the_metrics():
    found = {result.metric_name: result for result in eval_results([e2_evaluation()])}
    assert found["text to image recall@5"].metric_type == "recall_at_5"
    assert found["text to image recall ceiling@5"].metric_type == "recall_ceiling_at_5"
    assert found["brand region accuracy"].metric_type == "accuracy"
    assert found["brand layer 2 centre inside ceiling"].metric_type == "centre_inside_ceiling"
    assert found["text to image recall@5"].metric_value == 0.35


def test_re_rankers_are_named():
    evaluation = attribute_evaluation()
    evaluation["reranking"] = evaluation["reranking"] | {"k_reciprocal": {"map": 0.6}}
    names = [result.metric_name for result in eval_results([evaluation])]
    assert not [name for name in names if "k_reciprocal" in name or "k reciprocal" in name]
    assert "runs/fr/best: neckline initial map" in names and "neckline map chance" in names


def test_a_local_corpus_gets_a_type_and_numbers_are_finite():
    evaluation = {"corpus": "my shop.csv", "split": "validation", "retrieval": {"map": 0.5, "x_map": math.nan}}
    (result,) = eval_results([evaluation])
    assert (result.dataset_type, result.dataset_name) == ("my-shop.csv", "my shop.csv")
