"""AP and MAP against a loop, scikit-learn, the published results, and every order of the candidates for chance."""

from itertools import permutations

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from hf_fashion.metrics import attribute_map, average_precisions, expected_average_precisions, ranking


def make(queries: int = 17, candidates: int = 41, values: int = 5, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    embeds = (normalize(torch.randn(count, 7, generator=generator), dim=1) for count in (queries, candidates))
    return *embeds, *(torch.randint(0, values, (count,), generator=generator) for count in (queries, candidates))


def average_precision(ranked: list[bool]) -> float:
    """By hand: precision at every rank that holds a relevant candidate, averaged over these; 0 if there is none."""
    precisions = [sum(ranked[: place + 1]) / (place + 1) for place, hit in enumerate(ranked) if hit]
    return sum(precisions) / len(precisions) if precisions else 0.0


def by_loop(query_embeds, gallery_embeds, query_labels, gallery_labels) -> list[float]:
    """Python's sort is stable: equal scores keep the order of the candidates."""
    values = []
    for query, label in zip(query_embeds, query_labels, strict=True):
        scores = [sum(a * b for a, b in zip(query.tolist(), one.tolist(), strict=True)) for one in gallery_embeds]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        values.append(average_precision([bool(gallery_labels[place] == label) for place in order]))
    return values


@pytest.mark.parametrize("values", [2, 5, 60])
def test_it_equals_a_loop(values):
    data = make(values=values)
    assert average_precisions(*data).tolist() == pytest.approx(by_loop(*data))


def test_it_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    query, gallery, query_labels, gallery_labels = make()
    expected = [
        metrics.average_precision_score((gallery_labels == label).numpy(), (gallery @ one).numpy())
        for one, label in zip(query, query_labels, strict=True)
    ]
    assert average_precisions(query, gallery, query_labels, gallery_labels).tolist() == pytest.approx(expected)


def test_parity_with_the_published_results(shared_fixtures):
    tensors = load_file(shared_fixtures / "map.safetensors")
    found = {
        str(i): average_precisions(*(tensors[f"{i}.{name}"] for name in ("q", "c", "qv", "cv"))) for i in range(3)
    }
    metrics = attribute_map(found)
    for i in range(3):
        assert metrics[f"{i}_map"] == pytest.approx(tensors[f"{i}.map"].item(), abs=1e-10)
    assert metrics["map"] == pytest.approx(tensors["map_total"].item(), abs=1e-10)
    assert (found["1"] == 0).any()  # queries without a relevant candidate count


def test_ties_keep_the_order_of_the_candidates():
    query, gallery = torch.ones(1, 1), torch.tensor([[1.0], [2.0], [1.0], [1.0]])
    labels = torch.tensor([7, 0, 0, 7])  # ranked: 1, then 0, 2, 3 in the given order
    assert average_precisions(query, gallery, torch.tensor([7]), labels).item() == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert average_precisions(query, gallery[[1, 2, 3, 0]], torch.tensor([7]), labels[[1, 2, 3, 0]]).item() == (
        pytest.approx((1 / 3 + 2 / 4) / 2)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("times", [1, 60])
def test_equal_embeddings_tie_at_every_place(dtype, times):
    """One vector over and over: a matrix product of five gives its last column other last bits."""
    query, gallery = torch.randn(27, 512, generator=torch.Generator().manual_seed(0)).to(dtype).split([26, 1])
    labels = torch.tensor([0, 0, 1, 0, 1]).repeat(times)
    found = average_precisions(query, gallery.repeat(5 * times, 1), torch.ones(26, dtype=torch.long), labels)
    assert found.tolist() == pytest.approx([average_precision(labels.bool().tolist())] * 26)


@pytest.mark.parametrize("chunk_size", [None, 1, 3, 26])
def test_different_vectors_with_one_score_keep_their_order_whatever_the_chunk(chunk_size):
    """The coordinates of one vector in other orders have equal sums, which rounding would set apart."""
    generator = torch.Generator().manual_seed(0)
    orders = torch.stack([torch.randperm(512, generator=generator) for _ in range(40)])
    gallery = torch.randn(512, generator=generator)[orders]
    labels = torch.arange(40) % 2
    queries = torch.rand(26, 1, generator=generator).expand(-1, 512)
    found = average_precisions(queries, gallery, torch.ones(26, dtype=torch.long), labels, chunk_size)
    assert found.tolist() == pytest.approx([average_precision(labels.bool().tolist())] * 26)


def test_scores_that_differ_by_more_than_rounding_are_no_ties():
    gallery = torch.tensor([[1.0], [1.0 + 2**-23]])
    found = average_precisions(torch.ones(1, 1), gallery, torch.tensor([1]), torch.tensor([0, 1]))
    assert found.item() == 1


def test_negative_scores_rank_like_others():
    gallery = torch.tensor([[-3.0], [-1.0], [-2.0]])
    found = average_precisions(torch.ones(1, 1), gallery, torch.tensor([1]), torch.tensor([1, 0, 0]))
    assert found.item() == pytest.approx(1 / 3)


def test_candidates_with_several_values():
    query, gallery, query_labels, single = make()
    several = torch.nn.functional.one_hot(single, 5).bool()
    torch.testing.assert_close(
        average_precisions(query, gallery, query_labels, several),
        average_precisions(query, gallery, query_labels, single),
    )
    several[::3, 2] = True
    of_two = query_labels == 2
    found = average_precisions(query[of_two], gallery, query_labels[of_two], several)
    either = torch.where(several[:, 2], 2, 0)
    assert found.tolist() == pytest.approx(by_loop(query[of_two], gallery, query_labels[of_two], either))
    expected = expected_average_precisions(query_labels[of_two], several)
    torch.testing.assert_close(expected, expected_average_precisions(query_labels[of_two], either))


def test_chunks_do_not_change_the_metrics_and_bound_the_memory(monkeypatch):
    data = make()
    whole = average_precisions(*data)
    torch.testing.assert_close(average_precisions(*data, chunk_size=4), whole)
    monkeypatch.setattr(ranking, "MAX_CHUNK_SCORES", 82)
    torch.testing.assert_close(average_precisions(*data), whole)


@pytest.mark.parametrize("relevant", [0, 1, 3, 6])
def test_chance_is_the_mean_over_all_orders(relevant):
    labels = torch.tensor([1] * relevant + [0] * (6 - relevant))
    orders = [average_precision([bool(label) for label in order]) for order in permutations(labels.tolist())]
    expected = expected_average_precisions(torch.tensor([1, 1]), labels)
    assert expected.tolist() == pytest.approx([sum(orders) / len(orders)] * 2)


def test_chance_of_a_single_candidate():
    assert expected_average_precisions(torch.tensor([1, 0]), torch.tensor([1])).tolist() == [1, 0]


def test_the_total_counts_queries_and_the_mean_attributes():
    found = {"neck": torch.tensor([1.0, 0.5, 0.0]), "hem": torch.tensor([0.1])}
    expected = {"map": 1.6 / 4, "mean_attribute_map": (0.5 + 0.1) / 2, "neck_map": 0.5, "hem_map": 0.1}
    assert attribute_map(found) == pytest.approx(expected)
    assert set(attribute_map(found, "map_chance")) == {f"{name}_chance" for name in expected}


def test_bad_input_is_named():
    query, gallery, query_labels, gallery_labels = make()
    with pytest.raises(ValueError, match="`gallery_labels` must be integers with shape"):
        average_precisions(query, gallery, query_labels, gallery_labels[:3])
    with pytest.raises(ValueError, match="`gallery_embeds` must be finite"):
        average_precisions(query, torch.full_like(gallery, torch.nan), query_labels, gallery_labels)
    for wrong in (torch.ones(41, 4, dtype=torch.bool), torch.ones(41, dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"a column for every value of `query_labels`.*values from 0 to 4"):
            average_precisions(query, gallery, query_labels, wrong)
    with pytest.raises(ValueError, match=r"without a query: \['hem'\]"):
        attribute_map({"hem": torch.zeros(0), "neck": torch.ones(1)})
    with pytest.raises(ValueError, match="there must be one"):
        attribute_map({})
