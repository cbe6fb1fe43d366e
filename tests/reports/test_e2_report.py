"""Report on models that read text: their comparison, sentences and pictures."""

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.embedding.corpus import embed_images
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.localisation import evaluate_localisation
from hf_fashion.evaluation.tags import evaluate_tags
from hf_fashion.reports.e2_report import compare_e2, recall_comparison, show_e2, summarise_e2, tag_comparison
from tests.evaluation.saved_models import ENTITIES, tiny_e2_parts


EXAMPLES = range(6)


@pytest.fixture(scope="module")
def metrics(e2, clip, processor, corpus, column_map):
    common = (processor, corpus["validation"], column_map)
    models = {"E2": e2, "CLIP": clip}
    recall = {name: evaluate_cross_modal(model, *common, progress=False) for name, model in models.items()}
    return recall, {name: evaluate_tags(model, *common, progress=False) for name, model in models.items()}


def test_recall_between_chance_and_ceiling(metrics):
    recall, _ = metrics
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


def test_only_a_model_with_regions_has_a_column_for_them(metrics):
    _, tags = metrics
    header, rows = tag_comparison(tags, ["brand", "season"])
    assert header == ["%", "tags", "E2, image", "E2, region", "CLIP, image", "most frequent"]
    expected = [tags["E2"]["brand_image_accuracy"], tags["E2"]["brand_region_accuracy"]]
    expected += [tags["CLIP"]["brand_image_accuracy"], tags["E2"]["brand_majority_rate"]]
    assert rows[0] == ["brand", str(tags["E2"]["brand_num_tags"]), *(f"{100 * value:.1f}" for value in expected)]
    assert rows[1][0] == "season"


def test_results_become_tables_sentences_and_pictures():
    model, processor = tiny_e2_parts()
    split = make_generated_corpus(train_rows=1, validation_rows=24, image_size=32)["validation"]
    column_map = ColumnMap.shipped("generated")
    images = embed_images(model, processor, split, progress=False)
    common = (model, processor, split, column_map)
    clip = {
        "parameters": 7,
        "cross_modal": evaluate_cross_modal(*common, image_embeds=images["image_embeds"], progress=False),
        "tags": evaluate_tags(*common, images=images, progress=False),
    }
    localisation = evaluate_localisation(*common, images=images, progress=False)
    both = {"E2": clip | {"localisation": localisation}, "CLIP-FT": clip}

    tables = compare_e2(both, ENTITIES)
    assert [len(rows) for _, rows in tables.values()] == [6, 4, 8]
    sentences = " ".join(summarise_e2(both))
    assert f"E2 {100 * both['E2']['tags']['mean_tag_accuracy']:.1f} %" in sentences
    for layer in (1, 2):
        assert f"after layer {layer} {100 * localisation[f'brand_layer_{layer}_centre_inside']:.1f} %" in sentences
    assert f"chance {100 * localisation['brand_layer_1_centre_inside_chance']:.1f} %" in sentences
    sections = dict(show_e2(*common, images, EXAMPLES))
    assert len(sections) == 2 + len(ENTITIES) + 1
    assert sections["Photos for a title"].count("<img") == 5 * len(EXAMPLES)
    assert sections["Where the tokens of each tag look"].count("<img") == len(EXAMPLES)
