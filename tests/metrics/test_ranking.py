"""Ranking metrics against loops over every query, every place and, for ties, every order."""

from itertools import permutations

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.metrics import ranking
from hf_fashion.metrics.ranking import (
    matches_per_query,
    mean_average_precision,
    precision_at_k,
    recall_at_k,
    relevant_recall_at_k,
)


KS = (1, 2, 5)


def make(queries: int = 23, gallery: int = 31, labels: int = 7, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    embeds = (normalize(torch.randn(count, 6, generator=generator), dim=1) for count in (queries, gallery))
    ids = (torch.randint(0, labels, (count,), generator=generator) for count in (queries, gallery))
    return *embeds, *ids


def relevance_lists(query_embeds, gallery_embeds, query_labels, gallery_labels):
    """For every query with a match: whether the items are matches, best first."""
    for query, label in zip(query_embeds, query_labels, strict=True):
        if label in gallery_labels:
            order = sorted(range(len(gallery_embeds)), key=lambda item: -float(query @ gallery_embeds[item]))
            yield [bool(gallery_labels[item] == label) for item in order]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


@pytest.mark.parametrize("labels", [3, 7, 60])
def test_metrics_equal_a_loop(labels):
    data = make(labels=labels)
    lists = list(relevance_lists(*data))
    hit, relevant, precise = recall_at_k(*data, KS), relevant_recall_at_k(*data, KS), precision_at_k(*data, KS)
    for k in KS:
        assert hit[f"recall@{k}"] == pytest.approx(mean(any(row[:k]) for row in lists))
        assert relevant[f"relevant_recall@{k}"] == pytest.approx(mean(sum(row[:k]) / sum(row) for row in lists))
        assert precise[f"precision@{k}"] == pytest.approx(mean(sum(row[:k]) / k for row in lists))
    precisions = ([sum(row[: i + 1]) / (i + 1) for i in range(len(row)) if row[i]] for row in lists)
    assert mean_average_precision(*data)["map"] == pytest.approx(mean(map(mean, precisions)))


def test_queries_without_a_match_are_left_out_and_counted():
    query, gallery, query_labels, gallery_labels = make()
    query_labels[:4] = 99
    metrics = recall_at_k(query, gallery, query_labels, gallery_labels, KS)
    kept = recall_at_k(query[4:], gallery, query_labels[4:], gallery_labels, KS)
    assert metrics == kept | {"num_without_match": kept["num_without_match"] + 4}
    assert metrics["num_queries"] + metrics["num_without_match"] == len(query)


@pytest.mark.parametrize("dim", [1, 64])
def test_a_collapsed_model_gets_chance_level(dim):
    embeds = normalize(torch.rand(1, dim) + 0.1, dim=1).expand(203, dim).contiguous()
    labels = torch.arange(203)
    metrics = recall_at_k(embeds, embeds, labels, labels, KS) | relevant_recall_at_k(
        embeds, embeds, labels, labels, KS
    )
    for k in KS:
        assert metrics[f"recall@{k}"] == pytest.approx(k / 203)
        assert metrics[f"relevant_recall@{k}"] == pytest.approx(k / 203)
    assert mean_average_precision(embeds, embeds, labels, labels)["map"] == pytest.approx(1 / 203)


def test_ties_count_as_the_mean_over_all_orders():
    query, labels = torch.ones(1, 1), torch.tensor([1, 0, 1, 0, 0])
    gallery = torch.tensor([[1.0], [1.0], [1.0], [2.0], [0.5]])  # one better, then two matches tied with one other
    orders = [(3, *tied, 4) for tied in permutations((0, 1, 2))]
    data = (query, gallery, torch.tensor([1]), labels)
    hit, found = recall_at_k(*data, (1, 2, 3)), relevant_recall_at_k(*data, (1, 2, 3))
    for k in (1, 2, 3):
        matches = [[int(labels[item]) for item in order[:k]] for order in orders]
        assert hit[f"recall@{k}"] == pytest.approx(mean(max(row) for row in matches))
        assert found[f"relevant_recall@{k}"] == pytest.approx(mean(sum(row) / 2 for row in matches))
    assert mean_average_precision(*data)["map"] == pytest.approx((1 / 3 + 2 / 4) / 2)  # matches last among the tied


@pytest.mark.parametrize("zero", ["query", "gallery", "both"])
def test_zero_embeddings_tie_and_average_precision_ranks_their_matches_last(zero):
    generator = torch.Generator().manual_seed(0)
    query, gallery = torch.randn(3, 8, generator=generator), torch.randn(100, 8, generator=generator)
    query *= zero == "gallery"
    gallery *= zero == "query"
    labels = torch.arange(100) % 4  # 25 matches, behind 75 others
    found = mean_average_precision(query, gallery, torch.tensor([0, 1, 2]), labels)["map"]
    assert found == pytest.approx(mean(place / (75 + place) for place in range(1, 26)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_metric_is_the_same_to_the_last_bit_for_every_chunk(dtype):
    query, gallery, *labels = make(queries=40, gallery=300, seed=3)
    query, gallery = query.to(dtype), gallery[torch.arange(300) // 2].to(dtype)
    for measure in (recall_at_k, relevant_recall_at_k, precision_at_k, mean_average_precision):
        whole = measure(query, gallery, *labels)
        for chunk_size in (1, 3, 7):
            assert measure(query, gallery, *labels, chunk_size=chunk_size) == whole


def test_negative_scores_and_a_k_beyond_the_gallery():
    query, gallery = torch.tensor([[1.0]]), torch.tensor([[-3.0], [-1.0], [-2.0]])
    metrics = recall_at_k(query, gallery, torch.tensor([5]), torch.tensor([6, 6, 5]), ks=(1, 2, 50))
    assert [metrics[f"recall@{k}"] for k in (1, 2, 50)] == [0, 1, 1]
    assert relevant_recall_at_k(query, gallery, torch.tensor([6]), torch.tensor([6, 6, 5]), (50,))[
        "relevant_recall@50"
    ] == pytest.approx(1)


@pytest.mark.parametrize("measure", [recall_at_k, relevant_recall_at_k, mean_average_precision])
def test_chunks_do_not_change_the_metrics_and_bound_the_memory(measure, monkeypatch):
    data, sizes = make(), []
    whole = measure(*data, chunk_size=1000)
    score_chunks = ranking.score_chunks

    def counting(*arguments):
        for chunk in score_chunks(*arguments):
            sizes.append(tuple(chunk[1].shape))
            yield chunk

    monkeypatch.setattr(ranking, "score_chunks", counting)
    assert measure(*data, chunk_size=5) == pytest.approx(whole)
    assert max(sizes) == (5, 31)
    sizes.clear()
    monkeypatch.setattr(ranking, "MAX_CHUNK_SCORES", 62)
    assert measure(*data) == pytest.approx(whole)
    assert {rows * columns for rows, columns in sizes} <= {31, 62}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_float_types_are_ranked(dtype):
    query, gallery, *labels = make()
    expected = recall_at_k(query.to(dtype).double(), gallery.to(dtype).double(), *labels)
    assert recall_at_k(query.to(dtype), gallery.to(dtype), *labels) == expected


def test_matches_per_query_counts():
    counts = matches_per_query(torch.tensor([4, 7, 1]), torch.tensor([7, 1, 7, 7, 2]))
    assert counts.tolist() == [0, 3, 1]


def changed(place, value):
    data = list(make())
    data[place] = value
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed(0, torch.randn(23, 5)), "one width"),
        (changed(0, torch.randn(23)), "`query_embeds` must be floating"),
        (changed(1, torch.ones(31, 6, dtype=torch.long)), "`gallery_embeds` must be floating"),
        (changed(1, torch.full((31, 6), torch.nan)), "`gallery_embeds` must be finite"),
        (changed(2, torch.zeros(22, dtype=torch.long)), "`query_labels` must be integers"),
        (changed(3, torch.zeros(31)), "`gallery_labels` must be integers"),
        (changed(2, torch.full((23,), 99)), "there is nothing to find"),
        ([torch.zeros(0, 6), torch.zeros(0, 6), *torch.zeros(2, 0, dtype=torch.long)], "there is nothing to find"),
    ],
)
def test_bad_input_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        recall_at_k(*data)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="`ks`"):
        recall_at_k(*make(), ks=(0, 1))
    with pytest.raises(ValueError, match="`ks`"):
        recall_at_k(*make(), ks=())
    with pytest.raises(ValueError, match="`chunk_size`"):
        recall_at_k(*make(), chunk_size=0)
