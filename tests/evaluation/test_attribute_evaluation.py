"""Everything that is measured of an attribute-specific model on one split, and which queries it gets."""

import pytest
import torch

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_folds, draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation.attribute_evaluation import evaluate_attribute_model, make_protocols
from hf_fashion.evaluation.attribute_retrieval import evaluate_attribute_retrieval
from hf_fashion.evaluation.options import AttributeOptions
from tests.evaluation.attributes import LookUp, image_processor, shades


NUMBER = 40
MAP = ColumnMap(attributes={"hem": "hem_label", "neck": "neck_label"})


@pytest.fixture(scope="module")
def corpus():
    hems = [("a", "b", "c", None)[row % 4] for row in range(NUMBER)]
    return shades(hems, [("v", "boat")[row % 3 > 0] for row in range(NUMBER)])


@pytest.fixture(scope="module")
def model():
    embeds = torch.randn(NUMBER, 3, 4, generator=torch.Generator().manual_seed(0))
    look_up = LookUp(torch.nn.functional.normalize(embeds, dim=-1), torch.rand(NUMBER, 3, 2, 2))
    look_up.device = "cpu"
    return look_up


def test_the_attributes_of_model_and_map_are_searched(model, corpus):
    results = evaluate_attribute_model(model, image_processor(), corpus, MAP, AttributeOptions(seed=3))
    assert (results["attributes"], results["seed"]) == (["neck", "hem"], 3), "in the model's order, without sleeve"
    protocols = [draw_protocol(read_labels(corpus, MAP), 3)]
    expected = evaluate_attribute_retrieval(model, image_processor(), corpus, MAP, protocols, progress=False)
    assert results["retrieval"] == pytest.approx(expected)
    assert not {"pointing", "reranking"} & set(results)


def test_attributes_that_are_not_measured_are_named(model, corpus, caplog):
    evaluate_attribute_model(model, image_processor(), corpus, MAP, AttributeOptions())
    assert "not measured, as the column map names no column for them: sleeve" in caplog.text
    others = ColumnMap(attributes={"neckline": "neck_label"})
    with pytest.raises(
        ValueError, match=r"the model's attributes are \[.*'sleeve'.*names \['neckline'\]: name a column"
    ):
        evaluate_attribute_model(model, image_processor(), corpus, others, AttributeOptions())


def test_re_rankers_start_from_the_measured_search(model, corpus):
    options = AttributeOptions(attributes=["hem"], rerankers=["k_reciprocal"], num_candidates=5)
    results = evaluate_attribute_model(model, image_processor(), corpus, MAP, options)
    assert results["reranking"]["k_reciprocal"]["initial_map"] == pytest.approx(results["retrieval"]["map"])


def test_queries_are_drawn_once_or_fold_by_fold(corpus):
    labels = read_labels(corpus, MAP)
    (one,) = make_protocols(corpus, MAP, ["hem", "neck"], AttributeOptions(seed=5))
    assert torch.equal(one["hem"].query_rows, draw_protocol(labels, 5)["hem"].query_rows)
    folds = make_protocols(corpus, MAP, ["hem", "neck"], AttributeOptions(seed=5, all_folds=True))
    assert len(folds) == len(draw_folds(labels, 5))
    asked = torch.cat([fold["hem"].query_rows for fold in folds]).sort().values
    assert asked.tolist() == [row for row in range(NUMBER) if row % 4 < 3], "every labelled photo is a query once"


def test_published_lists_count_the_attributes_of_the_whole_map(corpus, tmp_path):
    (tmp_path / "query.txt").write_text("0 1 0\n1 1 1\n")
    (tmp_path / "candidate.txt").write_text("2 1 0\n3 1 1\n4 1 0\n")
    options = AttributeOptions(queries=str(tmp_path / "query.txt"), candidates=str(tmp_path / "candidate.txt"))
    (lists,) = make_protocols(corpus, MAP, ["neck"], options)
    assert list(lists) == ["neck"], "attribute 1 of the map"
    assert lists["neck"].query_rows.tolist() == [0, 1] and lists["neck"].candidate_rows.tolist() == [2, 3, 4]
