"""Image-to-text and text-to-image metrics of a model on a corpus."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import embed_images, embed_texts
from hf_fashion.evaluation.cross_modal import PRIMARY_METRIC, cross_modal_metrics, evaluate_cross_modal
from hf_fashion.evaluation.cross_modal_candidates import embed_candidates
from hf_fashion.metrics import cross_modal_recall


@pytest.mark.parametrize("name", ["e2", "clip"])
def test_metrics_are_those_of_the_embeddings(name, request, processor, corpus, column_map):
    model, split = request.getfixturevalue(name), corpus["validation"]
    metrics = evaluate_cross_modal(model, processor, split, column_map, progress=False)
    images = embed_images(model, processor, split, progress=False)["image_embeds"]
    texts, text_ids = embed_texts(model, processor, split["caption"], progress=False)
    rows = torch.arange(len(split))
    expected = cross_modal_recall(images, texts, rows, rows, text_inputs=text_ids)
    assert {key: metrics[key] for key in expected} == expected
    assert (metrics["pairing"], metrics["protocol"], metrics["num_images"]) == ("distinct_titles", "full", 24)
    assert PRIMARY_METRIC in metrics
    given = evaluate_cross_modal(model, processor, split, column_map, image_embeds=images, progress=False)
    assert given == metrics


def test_repeated_titles(e2, processor, repeated, column_map):
    own_row, same_title, distinct = (
        evaluate_cross_modal(e2, processor, repeated, column_map, pairing=pairing, progress=False)
        for pairing in ("own_row", "same_title", "distinct_titles")
    )
    assert own_row["image_to_text_recall_ceiling@1"] == own_row["text_to_image_recall_ceiling@1"] == 0.5
    assert own_row["sum_recall_ceiling"] == 5
    assert same_title["sum_recall_ceiling"] == distinct["sum_recall_ceiling"] == 6
    assert same_title["text_to_image_relevant_recall_ceiling@1"] == 0.5
    assert [(metrics["num_images"], metrics["num_texts"]) for metrics in (own_row, same_title, distinct)] == [
        (24, 24),
        (24, 12),
        (12, 12),
    ]


def test_embeddings_of_all_rows_are_cut_to_the_candidates(e2, processor, repeated, column_map):
    embeds = embed_images(e2, processor, repeated, progress=False)["image_embeds"]
    metrics = evaluate_cross_modal(e2, processor, repeated, column_map, image_embeds=embeds, progress=False)
    assert metrics == evaluate_cross_modal(e2, processor, repeated, column_map, progress=False)


def test_sample100(e2, processor, repeated, column_map):
    def sample(seed, column="season"):
        return evaluate_cross_modal(
            e2, processor, repeated, column_map, "own_row", "sample100", column, seed, progress=False
        )

    metrics = sample(0)
    assert metrics["image_to_text_negatives_per_query"] == 23
    # Each of 12 titles has two photos, and both are always drawn.
    assert metrics["image_to_text_recall_ceiling@1"] == metrics["text_to_image_recall_ceiling@1"] == 0.5
    assert metrics["sum_recall_ceiling"] == 5
    assert metrics["protocol"] == "sample100"
    assert metrics == sample(0)


def test_bad_settings_are_named(e2, processor, corpus, column_map):
    common = (e2, processor, corpus["validation"])
    with pytest.raises(ValueError, match="`protocol` must be one of"):
        evaluate_cross_modal(*common, column_map, protocol="half")
    with pytest.raises(ValueError, match="give `group_column`"):
        evaluate_cross_modal(*common, column_map, protocol="sample100")
    embedded = embed_candidates(*common, column_map, progress=False)
    for protocol, message in (("half", "`protocol` must be one of"), ("sample100", "give `group_column`")):
        with pytest.raises(ValueError, match=message):
            cross_modal_metrics(embedded, corpus["validation"], column_map, protocol)
    with pytest.raises(ValueError, match="no `caption`"):
        evaluate_cross_modal(*common, ColumnMap())
