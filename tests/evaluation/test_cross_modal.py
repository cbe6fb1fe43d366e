"""Which rows a protocol compares, and the figures of a model on a corpus."""

import pytest
import torch

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import embed_images, embed_texts
from hf_fashion.evaluation.cross_modal import PRIMARY_METRIC, cross_modal_figures, evaluate_cross_modal
from hf_fashion.evaluation.cross_modal_candidates import choose_candidates, embed_candidates
from hf_fashion.metrics import cross_modal_recall


TITLES = ["tee", None, "coat", "tee", "", "hat", "coat"]


@pytest.mark.parametrize(
    ("pairing", "images", "texts", "image_labels", "text_labels"),
    [
        ("distinct_titles", [0, 2, 5], [0, 2, 5], [0, 1, 2], [0, 1, 2]),
        ("same_title", [0, 2, 3, 5, 6], [0, 2, 5], [0, 1, 0, 2, 1], [0, 1, 2]),
        ("own_row", [0, 2, 3, 5, 6], [0, 2, 3, 5, 6], [0, 2, 3, 5, 6], [0, 2, 3, 5, 6]),
    ],
)
def test_candidates(pairing, images, texts, image_labels, text_labels):
    chosen = choose_candidates(TITLES, pairing)
    assert (chosen.image_rows.tolist(), chosen.text_rows.tolist()) == (images, texts)
    assert (chosen.image_labels.tolist(), chosen.text_labels.tolist()) == (image_labels, text_labels)


def test_candidates_need_titles_and_a_known_pairing():
    with pytest.raises(ValueError, match="no row has a title"):
        choose_candidates([None, ""])
    with pytest.raises(ValueError, match="`pairing` must be one of"):
        choose_candidates(TITLES, "all")


@pytest.fixture(scope="module")
def repeated(corpus):
    """24 rows with 12 titles, each of two photos."""
    split = corpus["validation"]
    titles = [f"title {row // 2}" for row in range(len(split))]
    return split.remove_columns("caption").add_column("caption", titles)


@pytest.mark.parametrize("name", ["e2", "clip"])
def test_figures_are_those_of_the_embeddings(name, request, processor, corpus, column_map):
    model, split = request.getfixturevalue(name), corpus["validation"]
    figures = evaluate_cross_modal(model, processor, split, column_map, progress=False)
    images = embed_images(model, processor, split, progress=False)["image_embeds"]
    texts, text_ids = embed_texts(model, processor, split["caption"], progress=False)
    rows = torch.arange(len(split))
    expected = cross_modal_recall(images, texts, rows, rows, text_inputs=text_ids)
    assert {key: figures[key] for key in expected} == expected
    assert (figures["pairing"], figures["protocol"], figures["num_images"]) == ("distinct_titles", "full", 24)
    assert PRIMARY_METRIC in figures
    given = evaluate_cross_modal(model, processor, split, column_map, image_embeds=images, progress=False)
    assert given == figures


@pytest.mark.parametrize("pairing", ["distinct_titles", "same_title"])
def test_descriptions_that_ask_for_photos(e2, processor, repeated, column_map, pairing):
    search = embed_candidates(e2, processor, repeated, column_map, pairing, progress=False).text_to_image()
    images = embed_images(e2, processor, repeated, progress=False)["image_embeds"]
    given = embed_candidates(e2, processor, repeated, column_map, pairing, images, progress=False).text_to_image()
    assert torch.equal(search.gallery_embeds, given.gallery_embeds)
    assert len(search) == 12 and len(search.gallery_labels) == {"distinct_titles": 12, "same_title": 24}[pairing]
    (ranked,) = search.rankings()
    first = (search.query_labels[:, None] == search.gallery_labels[ranked.places[:, :1]]).double().mean()
    figures = evaluate_cross_modal(e2, processor, repeated, column_map, pairing, progress=False)
    assert figures["text_to_image_recall@1"] == pytest.approx(first.item())


def test_repeated_titles(e2, processor, repeated, column_map):
    own_row, same_title, distinct = (
        evaluate_cross_modal(e2, processor, repeated, column_map, pairing=pairing, progress=False)
        for pairing in ("own_row", "same_title", "distinct_titles")
    )
    assert own_row["image_to_text_recall_ceiling@1"] == own_row["text_to_image_recall_ceiling@1"] == 0.5
    assert own_row["sum_recall_ceiling"] == 5
    assert same_title["sum_recall_ceiling"] == distinct["sum_recall_ceiling"] == 6
    assert same_title["text_to_image_relevant_recall_ceiling@1"] == 0.5
    assert [(figures["num_images"], figures["num_texts"]) for figures in (own_row, same_title, distinct)] == [
        (24, 24),
        (24, 12),
        (12, 12),
    ]


def test_embeddings_of_all_rows_are_cut_to_the_candidates(e2, processor, repeated, column_map):
    embeds = embed_images(e2, processor, repeated, progress=False)["image_embeds"]
    figures = evaluate_cross_modal(e2, processor, repeated, column_map, image_embeds=embeds, progress=False)
    assert figures == evaluate_cross_modal(e2, processor, repeated, column_map, progress=False)


def test_sample100(e2, processor, repeated, column_map):
    def sample(seed, column="season"):
        return evaluate_cross_modal(
            e2, processor, repeated, column_map, "own_row", "sample100", column, seed, progress=False
        )

    figures = sample(0)
    assert figures["image_to_text_negatives_per_query"] == 23
    # Each of 12 titles stands with two photos, and both are always drawn.
    assert figures["image_to_text_recall_ceiling@1"] == figures["text_to_image_recall_ceiling@1"] == 0.5
    assert figures["sum_recall_ceiling"] == 5
    assert figures["protocol"] == "sample100"
    assert figures == sample(0)


def test_bad_settings_are_named(e2, processor, corpus, column_map):
    common = (e2, processor, corpus["validation"])
    with pytest.raises(ValueError, match="`protocol` must be one of"):
        evaluate_cross_modal(*common, column_map, protocol="half")
    with pytest.raises(ValueError, match="give `group_column`"):
        evaluate_cross_modal(*common, column_map, protocol="sample100")
    embedded = embed_candidates(*common, column_map, progress=False)
    for protocol, message in (("half", "`protocol` must be one of"), ("sample100", "give `group_column`")):
        with pytest.raises(ValueError, match=message):
            cross_modal_figures(embedded, corpus["validation"], column_map, protocol)
    with pytest.raises(ValueError, match="no `caption`"):
        evaluate_cross_modal(*common, ColumnMap())
