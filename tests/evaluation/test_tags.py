"""Zero-shot tags and tag-to-image search, against loops."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import embed_images, embed_texts
from hf_fashion.evaluation.tags import PRIMARY_METRIC, evaluate_tags, tag_labels, tag_metrics


def test_metrics_equal_a_loop():
    generator = torch.Generator().manual_seed(0)
    embeds, tag_embeds = (normalize(torch.randn(n, 5, generator=generator), dim=1) for n in (40, 4))
    tag_ids = torch.arange(40) % 4
    metrics = tag_metrics(embeds, tag_embeds, tag_ids)
    named = (embeds @ tag_embeds.T).argmax(dim=1)
    assert metrics["accuracy"] == pytest.approx((named == tag_ids).double().mean())
    precisions, tops = [], []
    for tag in range(4):
        found = (tag_ids == tag)[(embeds @ tag_embeds[tag]).argsort(descending=True)].tolist()
        precisions.append(sum(sum(found[: i + 1]) / (i + 1) for i in range(40) if found[i]) / sum(found))
        tops.append(sum(found[:10]) / 10)
    assert metrics["map"] == pytest.approx(sum(precisions) / 4)
    assert metrics["precision@10"] == pytest.approx(sum(tops) / 4)


def test_labels_leave_out_missing_tags():
    rows, ids, vocabulary = tag_labels(["b", None, "a", "", "b"], "brand")
    assert (rows.tolist(), ids.tolist(), vocabulary) == ([0, 2, 4], [1, 0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="no row has a tag of the entity 'brand'"):
        tag_labels([None, ""], "brand")


def test_regions_and_images_of_e2(e2, processor, corpus, column_map):
    split = corpus["validation"]
    results = evaluate_tags(e2, processor, split, column_map, progress=False)
    images = embed_images(e2, processor, split, progress=False)
    for place, entity in enumerate(e2.config.tag_entities):
        vocabulary = sorted(set(split[entity]))
        tags, _ = embed_texts(e2, processor, vocabulary, progress=False)
        ids = torch.tensor([vocabulary.index(tag) for tag in split[entity]])
        expected = tag_metrics(images["region_embeds"][:, place], tags, ids)
        assert {name: results[f"{entity}_region_{name}"] for name in expected} == expected
        assert results[f"{entity}_image_accuracy"] == tag_metrics(images["image_embeds"], tags, ids)["accuracy"]
        assert results[f"{entity}_majority_rate"] == pytest.approx(ids.bincount().max().item() / len(split))
    regions = [results[f"{entity}_region_accuracy"] for entity in e2.config.tag_entities]
    assert results[PRIMARY_METRIC] == pytest.approx(sum(regions) / 2)
    assert results == evaluate_tags(e2, processor, split, column_map, images=images, progress=False)


def test_clip_and_entities_the_model_lacks_have_image_metrics_only(clip, e2, processor, corpus):
    column_map = ColumnMap(caption="caption", tags={"season": "season", "shade": "colour"})
    of_clip = evaluate_tags(clip, processor, corpus["validation"], column_map, progress=False)
    of_e2 = evaluate_tags(e2, processor, corpus["validation"], column_map, progress=False)
    assert not [name for name in of_clip if "region" in name]
    assert of_clip[PRIMARY_METRIC] == of_clip["image_tag_accuracy"]
    assert {name for name in of_e2 if "region" in name} == {
        f"season_region_{metric}" for metric in ("accuracy", "map", "precision@10")
    }


def test_a_map_without_tags_is_an_error(e2, processor, corpus):
    with pytest.raises(ValueError, match="no `tags`"):
        evaluate_tags(e2, processor, corpus["validation"], ColumnMap())
