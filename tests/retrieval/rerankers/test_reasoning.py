"""FR as a function of embeddings: its own scores, whatever mode and float type they come in."""

import pytest
import torch

from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from tests.tiny_e2 import tiny_model
from tests.tiny_feature_reasoning import NUM_CANDIDATES, tiny_feature_reasoning, tiny_lists


def lists() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two whole lists, and one of two candidates."""
    mask = torch.arange(NUM_CANDIDATES) < torch.tensor([[NUM_CANDIDATES], [NUM_CANDIDATES], [2]])
    return *(embeds.float() for embeds in tiny_lists().values()), mask


@pytest.mark.parametrize("training", [True, False])
def test_scores_are_those_of_the_model_in_evaluation_mode(training):
    model = tiny_feature_reasoning()
    expected = model.rerank(*lists())
    scores = ReasoningReranker(model.train(training))(*lists())
    assert torch.equal(scores, expected) and not scores.requires_grad
    assert model.training == training
    assert (scores[2, 2:] == -torch.inf).all()


def test_the_mode_is_restored_after_an_error():
    model = tiny_feature_reasoning().train()
    query, candidates, mask = lists()
    with pytest.raises(ValueError, match=r"at most `config.num_candidates`=6"):
        ReasoningReranker(model)(query, candidates.repeat(1, 2, 1), mask.repeat(1, 2))
    assert model.training


def test_it_moves_the_model_and_knows_its_number_of_candidates():
    reranker = ReasoningReranker(tiny_feature_reasoning())
    reranker.to(torch.device("meta"))
    assert reranker.model.device.type == "meta" and reranker.num_candidates == NUM_CANDIDATES


def test_the_searches_of_another_embedding_model_are_refused(caplog):
    reranker = ReasoningReranker(tiny_feature_reasoning(embedder_fingerprints=["IpadModel-1", "IpadModel-2"]))
    for fingerprint in ("IpadModel-1", "IpadModel-2"):
        reranker.check_embedder(fingerprint)
    with pytest.raises(ValueError, match="trained to re-rank the searches of IpadModel-1, these are of E2Model-1"):
        reranker.check_embedder("E2Model-1")
    assert not caplog.text


def test_what_cannot_be_checked_is_said(caplog):
    ReasoningReranker(tiny_feature_reasoning()).check_embedder("E2Model-1")
    assert "the FR does not name its one" in caplog.text
    ReasoningReranker(tiny_feature_reasoning(embedder_fingerprints=["E2Model-1"])).check_embedder(None)
    assert "the gallery does not name its embedding model" in caplog.text


def test_fingerprints_survive_saving(tmp_path):
    tiny_feature_reasoning(embedder_fingerprints=["IpadModel-1"]).save_pretrained(tmp_path)
    assert ReasoningReranker(FeatureReasoningModel.from_pretrained(tmp_path)).embedder_fingerprints == ["IpadModel-1"]


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="`reranker` must be a FeatureReasoningModel, got E2Model"):
        ReasoningReranker(tiny_model())
