"""Models beside each other, chance and ceiling."""

import pytest

from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.tags import evaluate_tags
from hf_fashion.reports.comparison import recall_comparison, tag_comparison


@pytest.fixture(scope="module")
def figures(e2, clip, processor, corpus, column_map):
    common = (processor, corpus["validation"], column_map)
    models = {"E2": e2, "CLIP": clip}
    recall = {name: evaluate_cross_modal(model, *common, progress=False) for name, model in models.items()}
    return recall, {name: evaluate_tags(model, *common, progress=False) for name, model in models.items()}


def test_recall_between_chance_and_ceiling(figures):
    recall, _ = figures
    header, rows = recall_comparison(recall, ks=(1, 10))
    assert header == ["%", "E2", "CLIP", "chance", "ceiling"]
    assert [row[0] for row in rows] == [f"{way} R@{k}" for way in ("image to text", "text to image") for k in (1, 10)]
    assert rows[0][1:3] == [f"{100 * recall[name]['image_to_text_recall@1']:.1f}" for name in ("E2", "CLIP")]
    assert rows[2][1] == f"{100 * recall['E2']['text_to_image_recall@1']:.1f}"
    number = recall["E2"]["num_texts"]
    assert [row[3] for row in rows] == [f"{100 * k / number:.1f}" for k in (1, 10, 1, 10)]
    assert {row[4] for row in rows} == {"100.0"}


def test_chance_is_never_above_all():
    few = {
        f"{way}_{name}@9": 1.0 for way in ("image_to_text", "text_to_image") for name in ("recall", "recall_ceiling")
    }
    _, rows = recall_comparison({"E2": few | {"num_texts": 3, "num_images": 3}}, ks=(9,))
    assert rows[0] == ["image to text R@9", "100.0", "100.0", "100.0"]


def test_only_a_model_with_regions_has_a_column_for_them(figures):
    _, tags = figures
    header, rows = tag_comparison(tags, ["brand", "season"])
    assert header == ["%", "tags", "E2, image", "E2, region", "CLIP, image", "most frequent"]
    expected = [tags["E2"]["brand_image_accuracy"], tags["E2"]["brand_region_accuracy"]]
    expected += [tags["CLIP"]["brand_image_accuracy"], tags["E2"]["brand_majority_rate"]]
    assert rows[0] == ["brand", str(tags["E2"]["brand_num_tags"]), *(f"{100 * value:.1f}" for value in expected)]
    assert rows[1][0] == "season"
