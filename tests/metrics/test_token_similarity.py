"""Token similarity: equal to a plain loop, with padding, in chunks, and with its gradient."""

from importlib import import_module

import pytest
import torch

from hf_fashion.metrics import mean_average_precision, recall_at_k
from hf_fashion.metrics.token_similarity import TokenEmbeds, chunked_token_similarity, token_similarity


def tokens(items: int, length: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return unit tokens (items, length, 6) and a mask with padding at the end of most items."""
    generator = torch.Generator().manual_seed(seed)
    embeds = torch.nn.functional.normalize(torch.randn(items, length, 6, generator=generator), dim=-1)
    real = torch.randint(1, length + 1, (items, 1), generator=generator)
    return embeds, torch.arange(length) < real


def plain_similarity(query: torch.Tensor, item: torch.Tensor) -> float:
    """Return the mean over the tokens of a query of the highest product with a token of an item."""
    return sum(max(float(one @ other) for other in item) for one in query) / len(query)


@pytest.mark.parametrize("padded", ["both", "texts", "neither"])
def test_both_ways_equal_a_plain_loop(padded):
    (images, image_mask), (texts, text_mask) = tokens(3, 5, 0), tokens(4, 7, 1)
    image_mask = image_mask if padded == "both" else None
    text_mask = None if padded == "neither" else text_mask
    to_text, to_image = token_similarity(images, texts, image_mask, text_mask)
    assert to_text.shape == (3, 4) and to_image.shape == (4, 3)
    for i in range(3):
        for t in range(4):
            image = images[i] if image_mask is None else images[i][image_mask[i]]
            text = texts[t] if text_mask is None else texts[t][text_mask[t]]
            assert to_text[i, t].item() == pytest.approx(plain_similarity(image, text), abs=1e-6)
            assert to_image[t, i].item() == pytest.approx(plain_similarity(text, image), abs=1e-6)


@pytest.mark.parametrize("masked", [True, False])
def test_similarities_of_bfloat16_are_float32_both_ways(masked):
    (images, image_mask), (texts, text_mask) = tokens(3, 50, 0), tokens(4, 7, 1)
    masks = (image_mask, text_mask) if masked else (None, None)
    exact = token_similarity(images, texts, *masks)
    for found, expected in zip(token_similarity(images.bfloat16(), texts.bfloat16(), *masks), exact, strict=True):
        torch.testing.assert_close(found, expected, atol=0.005, rtol=0)


def test_negative_products_are_not_lost_to_padding():
    images, texts = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[-1.0, 0.0], [0.0, 0.0]]])
    to_text, to_image = token_similarity(images, texts, text_mask=torch.tensor([[True, False]]))
    assert to_text.item() == to_image.item() == -1


@pytest.mark.parametrize("chunk_products", [1, 35, 80, 10_000])
@pytest.mark.parametrize("masked", [True, False])
def test_chunks_change_neither_values_nor_gradients(chunk_products, masked):
    (images, image_mask), (texts, text_mask) = tokens(5, 5, 0), tokens(4, 7, 1)
    masks = (image_mask, text_mask) if masked else (None, None)
    found, weights = [], (torch.randn(5, 4), torch.randn(4, 5))
    for similarity in (token_similarity, lambda *inputs: chunked_token_similarity(*inputs, chunk_products)):
        leaves = images.clone().requires_grad_(), texts.clone().requires_grad_()
        both = similarity(*leaves, *masks)
        sum((weight * values).sum() for weight, values in zip(weights, both, strict=True)).backward()
        found.append([*both, *(leaf.grad for leaf in leaves)])
    for whole, chunked in zip(*found, strict=True):
        torch.testing.assert_close(chunked, whole)
    if masked:
        assert not found[0][3][~text_mask].any(), "padding must learn nothing"


def test_the_gradient_of_a_maximum_goes_to_its_token():
    images = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], requires_grad=True)
    texts = torch.tensor([[[0.8, 0.6]]], requires_grad=True)
    _, to_image = token_similarity(images, texts)
    to_image.sum().backward()
    assert images.grad.tolist() == [[[pytest.approx(0.8), pytest.approx(0.6)], [0, 0]]]
    assert texts.grad.tolist() == [[[1.0, 0.0]]]


def test_no_chunk_holds_more_products_than_it_may(monkeypatch):
    held = []

    def spy(images, texts, *masks):
        held.append(len(images) * images.shape[1] * len(texts) * texts.shape[1])
        return token_similarity(images, texts, *masks)

    module = import_module("hf_fashion.metrics.token_similarity")  # of the package it is the function
    monkeypatch.setattr(module, "token_similarity", spy)
    (images, _), (texts, _) = tokens(9, 5, 0), tokens(8, 7, 1)
    for most in (35, 200, 600):
        held.clear()
        chunked_token_similarity(images, texts, chunk_products=most)
        assert sum(held) == 9 * 5 * 8 * 7 and max(held) <= most


def test_tokens_of_several_batches_are_joined_and_chosen():
    first, second = TokenEmbeds(*tokens(2, 3, 0)), TokenEmbeds(*tokens(3, 5, 1))
    joined = TokenEmbeds.cat([first, second])
    assert len(joined) == 5 and joined.embeds.shape == (5, 5, 6)
    torch.testing.assert_close(joined[torch.tensor([0, 4])].scores(joined), joined.scores(joined)[[0, 4]])
    torch.testing.assert_close(joined[2:].scores(first), second.scores(first))
    assert not joined.mask[:2, 3:].any()


def test_metrics_rank_by_token_similarity_each_way():
    photos, texts = TokenEmbeds(*tokens(6, 5, 2)), TokenEmbeds(*tokens(4, 3, 3))
    photo_labels, labels = torch.tensor([0, 1, 2, 3, 0, 1]), torch.arange(4)
    hits = photos.scores(texts).argmax(1) == photo_labels
    for chunk_size in (None, 1, 2):
        found = recall_at_k(photos, texts, photo_labels, labels, ks=(1,), chunk_size=chunk_size)
        assert found["recall@1"] == pytest.approx(hits.float().mean().item())
    ranks = photo_labels[texts.scores(photos).argsort(1, descending=True)] == labels[:, None]
    precisions = [(row.cumsum(0) / torch.arange(1, 7))[row].mean() for row in ranks]
    assert mean_average_precision(texts, photos, labels, photo_labels)["map"] == pytest.approx(
        torch.stack(precisions).mean().item()
    )


def test_items_of_equal_tokens_are_tied():
    photos = TokenEmbeds(*tokens(1, 5, 2))[torch.zeros(4, dtype=torch.long)]
    labels = torch.arange(4)
    assert recall_at_k(TokenEmbeds(*tokens(4, 3, 0)), photos, labels, labels, ks=(1,))["recall@1"] == 0.25


@pytest.mark.parametrize(
    ("embeds", "mask", "message"),
    [
        (torch.ones(2, 3), torch.ones(2, 3, dtype=torch.bool), r"`embeds`.*\(N, L, D\)"),
        (torch.ones(2, 3, 4), torch.ones(2, 3), "`mask` must be bool"),
        (torch.ones(2, 3, 4), torch.tensor([[True] * 3, [False] * 3]), r"rows \[1\] \(1 in all\) have no token"),
    ],
)
def test_what_cannot_be_compared_is_refused(embeds, mask, message):
    with pytest.raises(ValueError, match=message):
        TokenEmbeds(embeds, mask)


def test_tokens_are_not_compared_with_vectors_and_must_be_finite():
    photos, labels = TokenEmbeds(*tokens(4, 5, 2)), torch.arange(4)
    with pytest.raises(ValueError, match="both be `TokenEmbeds`"):
        recall_at_k(photos, torch.ones(4, 6), labels, labels)
    photos.embeds[2, 0, 1] = torch.nan
    with pytest.raises(ValueError, match=r"`gallery_embeds` must be finite, rows \[2\]"):
        recall_at_k(TokenEmbeds(*tokens(4, 3, 3)), photos, labels, labels)
