"""The probe learns a tag from embeddings, and counts the rows that it leaves out."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation import linear_probe
from hf_fashion.evaluation.linear_probe import (
    PRIMARY_METRIC,
    ProbeSettings,
    draw_rows,
    evaluate_linear_probe,
    probe_entity,
)


def separable(tags: list[str | None]) -> torch.Tensor:
    """Embeddings that say the tag in one direction, at another scale in the others."""
    centres = {"a": 1.0, "b": -1.0}
    embeds = 100 * torch.randn(len(tags), 3, generator=torch.Generator().manual_seed(len(tags)))
    embeds[:, 0] = torch.tensor([centres.get(tag, 0.0) for tag in tags])
    return embeds


def test_it_reads_a_tag_and_leaves_out_rare_and_missing_ones():
    train_tags = ["a"] * 20 + ["b"] * 10 + ["rare"] * 2 + [None] * 3
    tags = ["b", "b", "a", "rare", None, "unseen", "b"]
    kinds = {
        "image": (separable(train_tags), separable(tags)),
        "region": (torch.zeros(len(train_tags), 2), torch.zeros(len(tags), 2)),
    }
    metrics = probe_entity(kinds, train_tags, tags, "brand", ProbeSettings(min_class_rows=5))
    assert metrics == {
        "num_images": 4,
        "num_rare": 2,
        "num_classes": 2,
        "majority_rate": 0.25,
        "image_probe_accuracy": 1.0,
        "region_probe_accuracy": 0.25,  # constant embeddings name the most frequent class
    }


@pytest.mark.parametrize(("train_tags", "tags"), [(["a"] * 9, ["a"]), (["a", "b"] * 5, ["c"])])
def test_too_few_classes_or_rows_are_named(train_tags, tags):
    kinds = {"image": (torch.zeros(len(train_tags), 2), torch.zeros(len(tags), 2))}
    with pytest.raises(ValueError, match="linear probe of 'brand'"):
        probe_entity(kinds, train_tags, tags, "brand", ProbeSettings())


def test_rows_are_drawn_by_the_seed(corpus):
    ids = [draw_rows(corpus["train"], 10, seed)["product_id"] for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == sorted(ids[0]) and len(ids[0]) == 10
    assert len(draw_rows(corpus["train"], 1000, 0)) == len(corpus["train"])


@pytest.mark.parametrize("name", ["e2", "clip"])
def test_a_model_is_probed(name, request, processor, corpus):
    column_map = ColumnMap(tags={"season": "season", "shade": "colour"})
    splits, settings = (corpus["train"], corpus["validation"]), ProbeSettings(min_class_rows=4)
    model = request.getfixturevalue(name)
    results = evaluate_linear_probe(model, processor, *splits, column_map, settings, progress=False)
    kinds = ["image", "region"] if name == "e2" else ["image"]
    assert [kind for kind in ("image", "region") if f"season_{kind}_probe_accuracy" in results] == kinds
    assert "shade_region_probe_accuracy" not in results  # no model has that entity
    means = [results[f"{entity}_image_probe_accuracy"] for entity in column_map.tags]
    assert results[PRIMARY_METRIC] == pytest.approx(sum(means) / 2)


def test_scikit_learn_and_tags_are_needed(e2, processor, corpus, monkeypatch):
    splits = (corpus["train"], corpus["validation"])
    with pytest.raises(ValueError, match="no `tags`"):
        evaluate_linear_probe(e2, processor, *splits, ColumnMap())
    monkeypatch.setattr(linear_probe, "is_sklearn_available", lambda: False)
    with pytest.raises(ImportError, match=r"hf-fashion\[evaluation\]"):
        evaluate_linear_probe(e2, processor, *splits, ColumnMap(tags={"brand": "brand"}))
