"""Searches by a photo and a change on triples of a corpus, against loops and by the pipeline's own vectors."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.changes.photo_changes import ChangedQuery, Part
from hf_fashion.evaluation.changes.catalogue_changes import change_metrics, evaluate_changes, weighted_scores
from hf_fashion.evaluation.changes.change_triples import ChangeTriple, change_triples


def test_metrics_of_triples():
    tags = {"colour": ["Red", "Blue", "Blue", "Red"], "brand": ["Puma", "Puma", "Nike", "Nike"]}
    triples = [ChangeTriple(0, "Blue", "in Blue", (1,)), ChangeTriple(2, "Red", "in Red", (3,))]
    scores = torch.tensor([[0.9, 0.5, 0.6, 0.1], [0.3, 0.2, 0.9, 0.1]])
    metrics = change_metrics(scores, triples, tags, "colour")
    assert metrics["recall@10"] == 1 and metrics["changed"] == pytest.approx(2 / 3)
    assert metrics["kept"] == pytest.approx(1 / 3)  # the query's own product is not searched


def test_scores_are_weighted_cosines():
    vectors = torch.eye(3)
    query = ChangedQuery(vectors[0], (Part("image", vectors[0], 0.25), Part("brand", vectors[1], 0.75)))
    gallery = {"image": torch.tensor([[1.0, 0, 0], [0, 1, 0]]), "brand": torch.tensor([[1.0, 0, 0], [0, 1, 0]])}
    assert weighted_scores(query, gallery).tolist() == [0.25, 0.75]


def test_every_way_is_measured(e2, processor, corpus, column_map):
    results = evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False)
    ways = ["photo", "words", "sum", "text", "text_known", "arithmetic", "arithmetic_known", "regions"]
    assert results["rows"] == ways and results["mean_recall"] == results["regions_recall"]
    tags = {entity: corpus["validation"][column][:] for entity, column in column_map.tags.items()}
    for entity in results["entities"]:
        assert results[f"{entity}_num_queries"] == len(change_triples(tags, entity)) > 0
        values = [results[f"{entity}_{way}_{name}"] for way in ways for name in ("recall@10", "changed", "kept")]
        assert all(0 <= value <= 1 for value in values) and len(set(values)) > 3


def test_corpora_without_such_products_are_refused(e2, processor, corpus):
    split = corpus["validation"]
    with pytest.raises(ValueError, match="need two `tags` in the column map"):
        evaluate_changes(e2, processor, split, ColumnMap(tags={"brand": "brand"}), progress=False)
    alone = ColumnMap(tags={"brand": "brand", "id": "product_id"})
    with pytest.raises(ValueError, match="no product of the split differs from another in one tag only"):
        evaluate_changes(e2, processor, split.select([0]), alone, progress=False)
