"""Selected patches against true boxes, by loops and by drawing at random."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.evaluation.localisation import (
    PRIMARY_METRIC,
    evaluate_localisation,
    localisation_metrics,
    patch_boxes,
    patches_of_boxes,
)
from tests.tiny_e2 import tiny_model


def test_patches_are_counted_as_the_patch_embedding_counts(e2):
    """The patch whose embedding changes when a pixel does is the one whose box holds the pixel."""
    embed = e2.vision_model.embeddings.patch_embedding
    image = torch.zeros(1, 3, 16, 16)
    image[..., 9, 2] = 1  # row 9, column 2
    with torch.no_grad():
        changed = (embed(image) - embed(torch.zeros_like(image))).abs().sum(1).flatten().nonzero().item()
    boxes = patch_boxes((16, 16), 4)
    inside = [i for i, (x0, y0, x1, y1) in enumerate(boxes.tolist()) if x0 <= 2 < x1 and y0 <= 9 < y1]
    assert inside == [changed]
    assert boxes.shape == (16, 4)


def test_the_two_rules():
    patches = patch_boxes((8, 8), 4)
    boxes = torch.tensor([[0, 0, 4, 4], [3, 3, 5, 5], [2, 2, 6, 6], [-9, -9, 0, 0]])
    rules = patches_of_boxes(boxes, patches)
    assert rules["overlaps"].int().tolist() == [[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert rules["centre_inside"].int().tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]


def test_metrics_equal_a_loop_and_chance_is_what_drawing_gives():
    generator = torch.Generator().manual_seed(0)
    patches = patch_boxes((32, 32), 8)
    corners = 24 * torch.rand(200, 2, generator=generator)
    boxes = torch.cat([corners, corners + 2 + 12 * torch.rand(200, 2, generator=generator)], dim=1)
    selected = torch.randint(0, 16, (200, 2), generator=generator)
    metrics = localisation_metrics(selected, boxes, patches)
    for rule, belongs in patches_of_boxes(boxes, patches).items():
        hits = [any(row[patch] for patch in chosen) for row, chosen in zip(belongs, selected.tolist(), strict=True)]
        assert metrics[rule] == pytest.approx(sum(map(bool, hits)) / 200)
        drawn = torch.randint(0, 16, (200, 4000, 2), generator=generator)
        found = belongs[torch.arange(200)[:, None, None], drawn].any(dim=2).double().mean()
        assert metrics[f"{rule}_chance"] == pytest.approx(found.item(), abs=0.003)
        assert metrics[f"{rule}_ceiling"] == pytest.approx(belongs.any(dim=1).double().mean().item())


def test_a_model_that_selects_the_true_patch(e2, processor, corpus, column_map):
    """Given selections inside the brand box and in the farthest corner for the season."""
    split = corpus["validation"]
    images = embed_images(e2, processor, split, progress=False)
    patches = patch_boxes((16, 16), 4)
    for row, boxes in enumerate(split["boxes"]):
        box = torch.tensor([boxes["brand"]]) / 2  # 32 pixels become 16
        images["selections_1"][row, :2] = patches_of_boxes(box, patches)["overlaps"][0].nonzero()[0]
    results = evaluate_localisation(e2, processor, split, column_map, images=images, progress=False)
    assert results["rows"] == ["brand_layer_1", "brand_layer_2", "season_layer_1", "season_layer_2"]
    assert results["brand_layer_2_overlaps"] == results["brand_layer_2_overlaps_ceiling"] == 1
    assert 0 < results["brand_layer_2_overlaps_chance"] == results["brand_layer_1_overlaps_chance"] < 1
    gains = [results[f"{row}_overlaps"] - results[f"{row}_overlaps_chance"] for row in results["rows"]]
    assert results[PRIMARY_METRIC] == pytest.approx(sum(gains) / 4)


def test_photos_without_a_box_are_left_out(e2, processor, corpus, column_map):
    split = corpus["validation"]
    boxes = [row | {"brand": None} if i < 4 else row for i, row in enumerate(split["boxes"])]
    split = split.remove_columns("boxes").add_column("boxes", boxes, feature=split.features["boxes"])
    results = evaluate_localisation(e2, processor, split, column_map, progress=False)
    assert results["brand_layer_1_num_images"] == 20
    assert results["season_layer_2_num_images"] == sum(row["season"] is not None for row in boxes)


def test_what_is_missing_is_named(e2, clip, processor, corpus, column_map):
    split = corpus["validation"]
    for model in (clip, tiny_model(fusion_layers=[])):
        with pytest.raises(ValueError, match="at least one fusion layer"):
            evaluate_localisation(model, processor, split, column_map)
    with pytest.raises(ValueError, match="no column 'boxes'"):
        evaluate_localisation(e2, processor, split.remove_columns("boxes"), ColumnMap())
    with pytest.raises(ValueError, match="no entity of the model"):
        evaluate_localisation(tiny_model(tag_entities=["scent"]), processor, split, ColumnMap(), progress=False)
