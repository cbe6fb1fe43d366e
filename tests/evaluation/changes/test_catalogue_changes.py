"""Searches by a photo and a change on triples of a corpus, against loops and by the pipeline's own vectors."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.changes.changed_query import ChangedQuery, Part
from hf_fashion.embedding.changes.combiners import TrainedCombiner
from hf_fashion.embedding.changes.photo_changes import PhotoChanger
from hf_fashion.evaluation.changes import catalogue_changes
from hf_fashion.evaluation.changes.catalogue_changes import change_metrics, evaluate_changes, weighted_scores
from hf_fashion.evaluation.changes.change_triples import ChangeTriple, change_triples
from hf_fashion.models.combiner.configuration_combiner import CombinerConfig
from hf_fashion.models.combiner.modeling_combiner import CombinerModel


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


def test_queries_are_measured_part_by_part(e2, processor, corpus, column_map, monkeypatch):
    whole = evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False)
    monkeypatch.setattr(catalogue_changes, "MAX_CHUNK_SCORES", 3 * len(corpus["validation"]))
    measured = []
    monkeypatch.setattr(
        catalogue_changes, "change_metrics", lambda *args: measured.append(len(args[0])) or change_metrics(*args)
    )
    parts = evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False)
    numbers = [name for name, value in whole.items() if isinstance(value, float)]
    assert max(measured) == 3 and [parts[name] for name in numbers] == pytest.approx([whole[name] for name in numbers])


def test_tags_are_named_once_a_photo_and_texts_embedded_once(e2, processor, corpus, column_map, monkeypatch):
    named, embedded = [], []
    name_tags, embed_texts = PhotoChanger.name_tags, PhotoChanger.embed_texts
    monkeypatch.setattr(PhotoChanger, "name_tags", lambda self, photo: named.append(1) or name_tags(self, photo))
    monkeypatch.setattr(
        PhotoChanger, "embed_texts", lambda self, texts: embedded.extend(texts) or embed_texts(self, texts)
    )
    results = evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False)
    assert sum(results[f"{entity}_num_queries"] for entity in results["entities"]) > len(named) > 0
    assert len(named) <= len(corpus["validation"])
    values = {value for column in column_map.tags.values() for value in corpus["validation"][column][:] if value}
    assert len(embedded) - len(set(embedded)) <= len(values)  # to name tags, and as the text of a query


def test_a_combiner_is_measured_too(e2, processor, corpus, column_map):
    new = CombinerModel(CombinerConfig(spaces=["image", *column_map.tags], embed_dim=12, hidden_size=8))
    combiner = TrainedCombiner(new)
    results = evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False, combiner=combiner)
    assert results["rows"][-2:] == ["regions", "combiner"]
    assert results["combiner_recall"] == pytest.approx(results["regions_recall"]), "a new one changes nothing"
    new.config.embedder_fingerprints = ["E2Model-1"]
    with pytest.raises(ValueError, match="was trained with E2Model-1"):
        evaluate_changes(e2, processor, corpus["validation"], column_map, progress=False, combiner=combiner)


def test_corpora_without_such_products_are_refused(e2, processor, corpus):
    split = corpus["validation"]
    with pytest.raises(ValueError, match="need two `tags` in the column map"):
        evaluate_changes(e2, processor, split, ColumnMap(tags={"brand": "brand"}), progress=False)
    alone = ColumnMap(tags={"brand": "brand", "id": "product_id"})
    with pytest.raises(ValueError, match="no product of the split differs from another in one tag only"):
        evaluate_changes(e2, processor, split.select([0]), alone, progress=False)
