"""MAP before and after re-ranking, with re-rankers whose effect is known."""

import pytest
import torch

from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.evaluation.reranking import compare_rerankers, evaluate_reranking, load_rerankers
from hf_fashion.metrics import attribute_map, average_precisions
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from tests.evaluation.searches import keep, random_search, reverse, within_itself
from tests.tiny_attribute import tiny_asen
from tests.tiny_feature_reasoning import tiny_feature_reasoning, tiny_feature_reasoning_config
from tests.tiny_ipad import tiny_ipad


GALLERY = 9


def before(search: LabelledSearch) -> torch.Tensor:
    return average_precisions(search.query_embeds, search.gallery_embeds, search.query_labels, search.gallery_labels)


def test_a_re_ranker_that_changes_nothing_changes_no_figure():
    searches = {"hem": [random_search(seed=0), random_search(seed=1)], "neck": [random_search(seed=2)]}
    figures = evaluate_reranking(searches, keep, 4, batch_size=2)
    found = {name: torch.cat([before(search) for search in parts]) for name, parts in searches.items()}
    assert attribute_map(found).items() <= figures.items()
    assert attribute_map(found, "initial_map").items() <= figures.items()
    assert figures["share_better"] == figures["share_worse"] == 0


def test_only_the_first_candidates_move():
    """Of four candidates in wrong order, two right ones behind the others: AP by hand."""
    embeds = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4]]), dim=1)
    labels = torch.tensor([0, 1, 1, 0, 0])
    search = LabelledSearch(embeds[:1], embeds[1:], labels[:1], labels[1:])
    whole = evaluate_reranking({"hem": [search]}, reverse, 4)
    assert whole["initial_map"] == pytest.approx((1 / 3 + 2 / 4) / 2) and whole["map"] == 1
    assert whole["share_better"] == 1 and whole["share_worse"] == 0
    three = evaluate_reranking({"hem": [search]}, reverse, 3)
    assert three["map"] == pytest.approx((1 / 1 + 2 / 4) / 2)


def test_worse_and_better_are_counted():
    search = random_search(queries=6)
    figures = evaluate_reranking({"hem": [search]}, reverse, GALLERY)
    worse = better = 0
    for row, precision in enumerate(before(search)):
        scores = search.query_embeds[row] @ search.gallery_embeds.T
        hits = (search.gallery_labels == search.query_labels[row])[scores.argsort()]
        ranks = torch.arange(1, GALLERY + 1)
        turned = (hits.cumsum(0) / ranks)[hits].sum().item() / max(1, hits.sum().item())
        worse, better = worse + (turned < precision - 1e-6).item(), better + (turned > precision + 1e-6).item()
    assert worse and (figures["share_worse"], figures["share_better"]) == (worse / 6, better / 6)


@pytest.mark.parametrize("num_candidates", [4, GALLERY, 50])
def test_the_query_itself_is_no_candidate(num_candidates):
    def masked_only_at_the_end(query_embeds, candidate_embeds, candidate_mask):
        assert candidate_mask[:, :8].all() and not candidate_mask[:, 8:].any()
        return keep(query_embeds, candidate_embeds, candidate_mask)

    figures = evaluate_reranking({"hem": [within_itself(random_search())]}, masked_only_at_the_end, num_candidates)
    assert figures["map"] == figures["initial_map"]


def test_an_untrained_fr_changes_no_figure():
    """In a gallery in which every item stands twice, and rounding is all that tells many apart."""
    generator = torch.Generator().manual_seed(0)
    query = torch.nn.functional.normalize(torch.randn(40, 256, generator=generator), dim=1)
    gallery = torch.nn.functional.normalize(query[:1] + 1e-4 * torch.randn(100, 256, generator=generator), dim=1)
    labels = torch.randint(2, (240,), generator=generator)
    search = LabelledSearch(query, gallery.repeat(2, 1), labels[:40], labels[40:])
    model = FeatureReasoningModel(tiny_feature_reasoning_config(num_candidates=50)).train()
    figures = evaluate_reranking({"hem": [search]}, ReasoningReranker(model), 50)
    assert figures["map"] == figures["initial_map"] and model.training
    assert figures["share_better"] == figures["share_worse"] == 0


@pytest.mark.parametrize(("searches", "num_candidates"), [({}, 4), ({"hem": []}, 4), ({"hem": [random_search()]}, 0)])
def test_there_must_be_something_to_re_rank(searches, num_candidates):
    with pytest.raises(ValueError, match="`num_candidates` must be at least 1, and `searches` hold a search"):
        evaluate_reranking(searches, keep, num_candidates)


def test_each_re_ranker_gets_its_own_number_of_candidates(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path / "fr")
    searches = {"hem": [random_search(queries=30, gallery=40)]}
    names = [str(tmp_path / "fr"), "query_expansion"]
    found = compare_rerankers(load_rerankers(names, tiny_asen()), searches, 3)
    expected = evaluate_reranking(searches, ReasoningReranker(tiny_feature_reasoning()), 6)
    assert found[names[0]] == expected and expected["share_better"] > 0
    assert found["query_expansion"] == evaluate_reranking(searches, query_expansion, 3)


def test_an_fr_of_another_embedding_model_is_refused(tmp_path):
    own, other = tiny_asen(), tiny_ipad()
    tiny_feature_reasoning(embedder_fingerprints=[model_fingerprint(own)]).save_pretrained(tmp_path / "fr")
    assert list(load_rerankers([str(tmp_path / "fr")], own)) == [str(tmp_path / "fr")]
    with pytest.raises(ValueError, match=r"the searches of AsenModel-.*, these are of IpadModel-"):
        load_rerankers([str(tmp_path / "fr")], other)


@pytest.mark.parametrize("name", ["kreciprocal", "a model of another kind"])
def test_an_unknown_re_ranker_is_told_which_there_are(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_asen().save_pretrained(tmp_path / "a model of another kind")
    with pytest.raises(ValueError, match=f"path or Hub id, one of query_expansion, k_reciprocal, .* got '{name}'"):
        load_rerankers([name], tiny_asen())
