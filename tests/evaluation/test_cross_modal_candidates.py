"""Which rows are compared by each convention, and the search for photos by description."""

import pytest
import torch

from hf_fashion.embedding.corpus import embed_images
from hf_fashion.evaluation.cross_modal import evaluate_cross_modal
from hf_fashion.evaluation.cross_modal_candidates import choose_candidates, embed_candidates


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


@pytest.mark.parametrize("pairing", ["distinct_titles", "same_title"])
def test_descriptions_search_photos(e2, processor, repeated, column_map, pairing):
    search = embed_candidates(e2, processor, repeated, column_map, pairing, progress=False).text_to_image()
    images = embed_images(e2, processor, repeated, progress=False)["image_embeds"]
    given = embed_candidates(e2, processor, repeated, column_map, pairing, images, progress=False).text_to_image()
    assert torch.equal(search.gallery_embeds, given.gallery_embeds)
    assert len(search) == 12 and len(search.gallery_labels) == {"distinct_titles": 12, "same_title": 24}[pairing]
    (ranked,) = search.rankings()
    first = (search.query_labels[:, None] == search.gallery_labels[ranked.places[:, :1]]).double().mean()
    metrics = evaluate_cross_modal(e2, processor, repeated, column_map, pairing, progress=False)
    assert metrics["text_to_image_recall@1"] == pytest.approx(first.item())
