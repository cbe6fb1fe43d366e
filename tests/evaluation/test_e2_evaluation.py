"""Everything that is measured of E2 on one split: each part equals its own evaluation."""

from dataclasses import replace

import pytest

from hf_fashion.evaluation import e2_evaluation
from hf_fashion.evaluation.changes.catalogue_changes import evaluate_changes
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.e2_evaluation import evaluate_e2
from hf_fashion.evaluation.linear_probe import evaluate_linear_probe
from hf_fashion.evaluation.localisation import evaluate_localisation
from hf_fashion.evaluation.options import E2Options
from hf_fashion.evaluation.tags import evaluate_tags
from tests.tiny_filip import tiny_filip


@pytest.fixture(scope="module")
def common(e2, processor, corpus, column_map):
    return e2, processor, corpus["validation"], column_map


def test_only_recall_is_measured_by_default(common):
    results = evaluate_e2(*common, E2Options())
    assert set(results) == {"cross_modal", "entities"}
    assert results["cross_modal"] == evaluate_cross_modal(*common, progress=False)


def test_each_part_is_its_own_evaluation(common, corpus):
    model, processor, split, column_map = common
    options = E2Options(pairing="own_row", tags=True, localisation=True, linear_probe=True, changes=True)
    results = evaluate_e2(*common, options, corpus["train"])
    assert results["cross_modal"] == evaluate_cross_modal(*common, "own_row", progress=False)
    assert results["tags"] == evaluate_tags(*common, progress=False)
    assert results["localisation"] == evaluate_localisation(*common, progress=False)
    assert results["changes"] == evaluate_changes(*common, progress=False)
    probed = evaluate_linear_probe(model, processor, corpus["train"], split, column_map, progress=False)
    assert results["linear_probe"] == pytest.approx(probed)


def test_filip_is_probed_by_the_mean_of_its_patches_and_not_re_ranked(common, corpus):
    _, processor, split, column_map = common
    results = evaluate_e2(tiny_filip(), processor, split, column_map, E2Options(linear_probe=True), corpus["train"])
    assert 0 < results["linear_probe"]["mean_probe_accuracy"] <= 1
    with pytest.raises(ValueError, match="`rerankers` needs one vector of each photo, and a FILIP has one of every"):
        evaluate_e2(tiny_filip(), processor, split, column_map, E2Options(rerankers=["query_expansion"]))


def test_re_rankers_get_what_descriptions_find(common):
    options = E2Options(rerankers=["query_expansion", "k_reciprocal"], num_candidates=5)
    results = evaluate_e2(*common, options)
    assert list(results["reranking"]) == ["query_expansion", "k_reciprocal"]
    # Of one right photo a query, AP is 1 / rank, so MAP is from recall@1 to 1.
    for metrics in results["reranking"].values():
        assert results["cross_modal"]["text_to_image_recall@1"] <= metrics["initial_map"] <= 1


@pytest.mark.parametrize(
    ("options", "tags", "message"),
    [
        (
            {"protocol": "sample100", "group_column": "brnd"},
            True,
            r"no column 'brnd' \(group_column\) \(did you mean 'bra",
        ),
        ({"tags": True}, False, "names no `tags`"),
        ({"linear_probe": True}, False, "names no `tags`"),
        ({"changes": True}, False, "two `tags` in the column map at least"),
        ({"rerankers": ["kreciprocal"]}, True, "one of query_expansion, k_reciprocal"),
        ({"localisation": True}, True, "no column 'boxes' of true boxes"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_photos_are_embedded(common, monkeypatch, options, tags, message):
    model, processor, split, column_map = common
    monkeypatch.setattr(e2_evaluation, "embed_images", lambda *args: pytest.fail("photos were embedded"))
    column_map = column_map if tags else replace(column_map, tags={})
    with pytest.raises(ValueError, match=message):
        evaluate_e2(model, processor, split.remove_columns("boxes"), column_map, E2Options(**options))
