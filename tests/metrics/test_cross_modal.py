"""Both directions together, and the sample-100 protocol against a loop over its own draws."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.metrics import (
    cross_modal_recall,
    recall_at_k,
    recall_ceiling,
    sample_cross_modal_recall,
    sample_recall,
)


def pairs(count: int = 40, noise: float = 0.6, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    images = normalize(torch.randn(count, 8, generator=generator), dim=1)
    texts = normalize(images + noise * torch.randn(count, 8, generator=generator), dim=1)
    return images, texts, torch.arange(count), torch.arange(count)


def test_both_directions_and_their_sum():
    images, texts, labels, _ = pairs()
    metrics = cross_modal_recall(images, texts, labels, labels)
    there, back = recall_at_k(images, texts, labels, labels), recall_at_k(texts, images, labels, labels)
    for k in (1, 5, 10):
        assert metrics[f"image_to_text_recall@{k}"] == there[f"recall@{k}"]
        assert metrics[f"text_to_image_recall@{k}"] == back[f"recall@{k}"]
    assert metrics["sum_recall"] == pytest.approx(
        sum(side[f"recall@{k}"] for side in (there, back) for k in (1, 5, 10))
    )
    assert metrics["sum_recall_ceiling"] == 6
    assert there["recall@1"] != back["recall@1"]


def test_equal_titles_lower_the_ceiling_but_not_recall():
    images, texts, labels, _ = pairs()
    titles = labels // 2
    free = cross_modal_recall(images, texts, labels, labels)
    capped = cross_modal_recall(images, texts, labels, labels, text_inputs=titles)
    assert capped["image_to_text_recall_ceiling@1"] == capped["text_to_image_recall_ceiling@1"] == 0.5
    assert capped["sum_recall_ceiling"] == 5
    assert capped["sum_recall"] == free["sum_recall"]


def test_several_photos_of_one_text():
    images, texts, labels, _ = pairs()
    metrics = cross_modal_recall(images, texts[::4], labels // 4, labels[:10])
    assert (metrics["image_to_text_num_queries"], metrics["text_to_image_num_queries"]) == (40, 10)
    best = (texts[::4] @ images.T).argmax(dim=1)
    assert metrics["text_to_image_recall@1"] == pytest.approx((best // 4 == labels[:10]).float().mean())


def test_sample_with_every_non_match_is_the_full_protocol():
    images, texts, labels, _ = pairs()
    groups = torch.zeros(40, dtype=torch.long)
    sampled = sample_recall(images, texts, labels, labels, groups, num_negatives=39)
    full = recall_at_k(images, texts, labels, labels)
    assert {name: sampled[name] for name in full} == pytest.approx(full)
    assert [sampled[f"recall_ceiling@{k}"] for k in (1, 5, 10)] == [1, 1, 1]
    assert (sampled["negatives_per_query"], sampled["negatives_of_group"]) == (39, 1)


def test_negatives_come_from_the_group_of_the_match():
    """Items of another group are better than every match here, so a single one among the negatives shows."""
    labels = torch.arange(30)
    groups = torch.arange(30) % 2
    images = torch.ones(30, 1)
    texts = torch.where(groups == 0, 1.0, 2.0)[:, None]
    of_group_zero = sample_recall(images[groups == 0], texts, labels[groups == 0], labels, groups, num_negatives=14)
    assert of_group_zero["recall@1"] == pytest.approx(1 / 15)  # tied with its 14 fellows
    more = sample_recall(images[groups == 0], texts, labels[groups == 0], labels, groups, num_negatives=15)
    assert more["recall@1"] == 0  # the group is used up: one comes from the whole gallery
    assert more["negatives_of_group"] == pytest.approx(14 / 15)


def test_a_small_gallery_gives_all_it_has():
    images, texts, labels, _ = pairs(count=5)
    metrics = sample_recall(images, texts, labels, labels, torch.zeros(5, dtype=torch.long), num_negatives=100)
    assert metrics["negatives_per_query"] == 4
    assert metrics["recall@5"] == pytest.approx(1)


def test_other_matches_are_no_negatives():
    embeds, labels = torch.eye(2)[torch.tensor([0, 0, 0, 1])], torch.tensor([0, 0, 0, 1])
    metrics = sample_recall(embeds, embeds, labels, labels, torch.zeros(4, dtype=torch.long))
    assert metrics["recall@1"] == 1


def test_one_seed_is_one_draw_whatever_the_chunks():
    images, texts, labels, _ = pairs(noise=2.0)
    arguments = (images, texts, labels, labels, torch.arange(40) % 3)
    first = sample_recall(*arguments, num_negatives=6, seed=1)
    assert first == sample_recall(*arguments, num_negatives=6, seed=1, chunk_size=7)
    assert first != sample_recall(*arguments, num_negatives=6, seed=2)


def test_sample_in_both_directions():
    images, texts, labels, _ = pairs()
    groups = torch.arange(40) % 4
    metrics = sample_cross_modal_recall(images, texts, labels, labels, groups, groups, num_negatives=9)
    recalls = [value for name, value in metrics.items() if "_recall@" in name]
    assert len(recalls) == 6 and metrics["sum_recall"] == pytest.approx(sum(recalls))
    assert metrics["image_to_text_negatives_per_query"] == 9


def test_bad_input_is_named():
    images, texts, labels, _ = pairs()
    with pytest.raises(ValueError, match="`gallery_groups` must have the shape"):
        sample_recall(images, texts, labels, labels, labels[:3])
    with pytest.raises(ValueError, match="`gallery_inputs` must have the shape"):
        sample_recall(images, texts, labels, labels, labels, gallery_inputs=labels[:3])
    with pytest.raises(ValueError, match="nothing to find"):
        sample_recall(images, texts, labels, labels + 99, labels)


@pytest.mark.parametrize("seed", range(6))
def test_with_every_non_match_drawn_the_ceiling_is_that_of_the_full_protocol(seed):
    """Photos and titles repeat, by themselves and together; the more frequent ones are ranked first."""
    generator = torch.Generator().manual_seed(seed)
    labels, embeds = torch.arange(14), torch.randn(14, 3, generator=generator)
    inputs = torch.randint(0, 5, (2, 14), generator=generator)
    sampled = sample_recall(embeds, embeds, labels, labels, torch.zeros_like(labels), *inputs, num_negatives=13)
    full = recall_ceiling(labels, labels, query_inputs=inputs[0], gallery_inputs=inputs[1])
    assert {name: sampled[name] for name in full} == pytest.approx(full)
    assert full["recall_ceiling@1"] < 1


def test_a_model_that_fails_at_copies_alone_reaches_the_ceiling_of_its_draw():
    """Four rows a title; half of a group is drawn, so a query meets some of the copies, never mind which."""
    titles, rows = torch.arange(48) // 4, torch.arange(48)
    groups = titles % 2
    embeds = torch.eye(12)[titles]
    metrics = sample_cross_modal_recall(embeds, embeds, rows, rows, groups, groups, rows, titles, 12, seed=3)
    for direction in ("image_to_text", "text_to_image"):
        for k in (1, 5, 10):
            assert metrics[f"{direction}_recall@{k}"] == pytest.approx(metrics[f"{direction}_recall_ceiling@{k}"])
        assert 0.25 < metrics[f"{direction}_recall_ceiling@1"] < 1
    assert metrics["sum_recall_ceiling"] == pytest.approx(metrics["sum_recall"])


def test_copies_of_the_match_are_counted_as_ties_with_it():
    """By a loop: a query's candidates are its own item, its one copy, and the others; the copy is always drawn."""
    labels, copies = torch.arange(6), torch.tensor([0, 0, 1, 2, 3, 4])
    embeds = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    groups = torch.zeros_like(labels)
    metrics = sample_recall(embeds, embeds, labels, labels, groups, gallery_inputs=copies, num_negatives=5)
    chances = [1 / sum(other == own for other in copies.tolist()) for own in copies.tolist()]
    assert metrics["recall_ceiling@1"] == pytest.approx(sum(chances) / 6)
    assert metrics["recall_ceiling@5"] == 1
