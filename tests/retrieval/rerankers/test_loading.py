"""What may be given as a re-ranker, and how the others are refused."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import CONFIG_MAPPING

from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.loading import load_reranker
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.retrieval.rerankers.reasoning import ReasoningReranker
from tests.conftest import REPOSITORY
from tests.tiny_e2 import tiny_model
from tests.tiny_feature_reasoning import NUM_CANDIDATES, tiny_feature_reasoning


def keep(query_embeds, candidate_embeds, candidate_mask):
    return torch.zeros(candidate_mask.shape)


def test_a_baseline_has_a_name_and_a_function_is_itself():
    assert load_reranker("query_expansion") is query_expansion
    assert load_reranker("k_reciprocal") is k_reciprocal
    assert load_reranker(keep) is keep


def test_an_fr_is_given_or_loaded_from_its_folder(tmp_path):
    model = tiny_feature_reasoning()
    model.save_pretrained(tmp_path)
    assert load_reranker(model).model is model
    for folder in (tmp_path, str(tmp_path)):
        loaded = load_reranker(folder)
        assert isinstance(loaded, ReasoningReranker) and loaded.num_candidates == NUM_CANDIDATES


@pytest.mark.parametrize(
    ("reranker", "message"),
    [
        (3, "`reranker` must be a FeatureReasoningModel, its path or Hub id, one of query_expansion, .* got int"),
        ("k-reciprocal", r"got 'k-reciprocal' \(did you mean 'k_reciprocal'\?\)"),
        (tiny_model(), "must be a FeatureReasoningModel, got E2Model"),
        (Path("k_reciprocal"), "got 'k_reciprocal'"),
    ],
)
def test_others_are_refused(reranker, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        load_reranker(reranker)


def test_where_an_fr_is_not_known_its_own_code_is_named(monkeypatch, tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    monkeypatch.delitem(CONFIG_MAPPING._extra_content, "feature_reasoning")
    with pytest.raises(
        ValueError, match=r"give the model itself: AutoModel\.from_pretrained\(.*, trust_remote_code=True\)"
    ):
        load_reranker(str(tmp_path))


def test_loading_needs_no_gallery():
    """Evaluation loads re-rankers where no gallery is installed."""
    unwanted = "{'datasets', 'pyarrow', 'lancedb', 'pymilvus'} & set(sys.modules)"
    code = f"import sys, hf_fashion.retrieval.rerankers.loading; print({unwanted})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert result.stdout.strip() == "set()"
