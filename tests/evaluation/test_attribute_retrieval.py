"""MAP of a model with known embeddings, of a perfect one and of one that knows nothing."""

import pytest
import torch
from torch.nn.functional import one_hot

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import RetrievalLists, all_against_all, draw_protocol
from hf_fashion.evaluation.attribute_retrieval import (
    PRIMARY_METRIC,
    attribute_searches,
    evaluate_attribute_retrieval,
)
from hf_fashion.evaluation.reranking import evaluate_reranking
from hf_fashion.metrics import average_precisions, expected_average_precisions
from tests.evaluation.attributes import MAP, LookUp, image_processor, shades


NUMBER = 40


@pytest.fixture(scope="module")
def corpus():
    hems = [("a", "b", "c", None)[row % 4] for row in range(NUMBER)]
    necks = [("v", "boat")[row % 3 > 0] if row >= 15 else None for row in range(NUMBER)]
    return shades(hems, necks)


@pytest.fixture(scope="module")
def labels(corpus):
    return read_labels(corpus, MAP)


def evaluate(model, corpus, **settings):
    return evaluate_attribute_retrieval(
        model, image_processor(), corpus, MAP, batch_size=7, progress=False, **settings
    )


def random_model() -> LookUp:
    embeds = torch.randn(NUMBER, 3, 4, generator=torch.Generator().manual_seed(0))
    return LookUp(torch.nn.functional.normalize(embeds, dim=-1))


def test_metrics_are_those_of_the_protocol(corpus, labels):
    model = random_model()
    results = evaluate(model, corpus)
    found, chance = {}, {}
    for name, lists in draw_protocol(labels).items():
        embeds = model.embeds[:, model.config.attribute_names.index(name)].detach()
        sides = embeds[lists.query_rows], embeds[lists.candidate_rows]
        found[name] = average_precisions(*sides, lists.query_values, lists.candidate_values)
        chance[name] = expected_average_precisions(lists.query_values, lists.candidate_values)
        assert results[f"{name}_map"] == pytest.approx(found[name].mean().item())
        assert results[f"{name}_map_chance"] == pytest.approx(chance[name].mean().item())
    assert results[PRIMARY_METRIC] == pytest.approx(torch.cat(list(found.values())).mean().item())
    assert results["mean_attribute_map"] == pytest.approx((results["hem_map"] + results["neck_map"]) / 2)
    assert results["map_chance"] == pytest.approx(torch.cat(list(chance.values())).mean().item())
    counts = {"hem_num_queries": 6, "hem_num_candidates": 24, "neck_num_queries": 5, "neck_num_candidates": 20}
    assert counts.items() <= results.items() and results["num_queries"] == 11
    assert "sleeve_map" not in results


def test_a_perfect_model_and_one_that_knows_nothing(corpus, labels):
    """The second gives one embedding to all, and on average equals chance, over the folds of many seeds."""
    ids = labels.value_ids[:, [1, 0, 0]].clamp(min=0)  # the model's neck, sleeve, hem
    results = evaluate(LookUp(one_hot(ids, 3).float()), corpus)
    assert results["map"] == results["mean_attribute_map"] == 1 and results["num_without_match"] == 0
    folds = [draw_protocol(labels, seed, fold) for seed in range(40) for fold in range(5)]
    results = evaluate(LookUp(torch.ones(NUMBER, 3, 2)), corpus, protocols=folds)
    assert results["map"] == pytest.approx(results["map_chance"], abs=0.01)
    assert 0.2 < results["map_chance"] < 0.7


def test_folds_are_taken_together_and_every_photo_is_embedded_once(corpus, labels):
    model = random_model()
    folds = [draw_protocol(labels, fold=fold) for fold in range(5)]
    results = evaluate(model, corpus, protocols=folds)
    assert results["num_queries"] == labels.labelled.sum() == 55
    assert len(model.seen) == len({row for row, _ in model.seen}) == labels.labelled.any(dim=1).sum()
    single = [evaluate(random_model(), corpus, protocols=[fold]) for fold in folds]
    weighted = sum(one["map"] * one["num_queries"] for one in single) / 55
    assert results["map"] == pytest.approx(weighted)


def test_published_lists_and_queries_without_a_match(corpus):
    lists = RetrievalLists(*map(torch.tensor, ([0, 1], [4, 2], [2, 3, 2], [4, 1, 0])))
    embeds = torch.zeros(NUMBER, 3, 2)
    embeds[:, 2, 0] = 1  # all equal: the candidates keep their order, row 2 with two values
    results = evaluate(LookUp(embeds), corpus, protocols=[{"hem": lists}])
    assert results["hem_map"] == results["map"] == 1 / 2
    assert results["num_without_match"] == 1 and results["num_queries"] == 2


def test_images_that_ask_each_other_do_not_find_themselves(corpus, labels):
    protocol = all_against_all(labels)
    results = evaluate(random_model(), corpus, protocols=[protocol])
    searches = attribute_searches(random_model(), image_processor(), corpus, MAP, [protocol], progress=False)
    metrics = evaluate_reranking(searches, lambda query, candidates, mask: -mask.cumsum(1).float(), 3)
    assert results["map"] == pytest.approx(metrics["initial_map"])
    perfect = evaluate(LookUp(one_hot(labels.value_ids[:, [1, 0, 0]].clamp(min=0), 3).float()), corpus)
    assert perfect["map"] == 1
    alike = [evaluate(LookUp(torch.ones(NUMBER, 3, 2)), corpus, protocols=[all_against_all(labels)])]
    assert alike[0]["map"] == pytest.approx(alike[0]["map_chance"], abs=0.05)


def test_an_attribute_that_the_model_has_not(corpus):
    column_map = type(MAP)(attributes={"cuff": "hem_label"})
    with pytest.raises(ValueError, match="the model has no attribute 'cuff'; it has neck, sleeve, hem"):
        evaluate_attribute_retrieval(random_model(), image_processor(), corpus, column_map, progress=False)
