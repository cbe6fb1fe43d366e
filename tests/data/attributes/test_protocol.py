import pytest
import torch

from hf_fashion.data.attributes.protocol import all_against_all, draw_folds, draw_protocol, read_protocol
from tests.data.attribute_corpora import labels_of, multi_label, vocabulary


def many():
    rows = [("abc"[i % 3], "xy"[i % 2] if i < 20 else None) for i in range(43)]
    return labels_of(rows, {"mark": list("abc"), "kind": list("xy")})


def test_one_to_four_of_the_labelled_images():
    labels = many()
    protocol = draw_protocol(labels)
    assert list(protocol) == ["mark", "kind"]
    for number, (lists, count) in enumerate(zip(protocol.values(), (43, 20), strict=True)):
        rows = torch.cat([lists.query_rows, lists.candidate_rows])
        assert rows.sort().values.tolist() == list(range(count))
        assert len(lists.query_rows) == -(-count // 5)
        assert torch.equal(lists.query_values, labels.value_ids[lists.query_rows, number])
        assert torch.equal(lists.candidate_values, labels.value_ids[lists.candidate_rows, number])


def test_it_is_fixed_by_seed_and_attribute():
    first, again, other = (draw_protocol(many(), seed=seed)["kind"] for seed in (0, 0, 1))
    assert torch.equal(first.query_rows, again.query_rows)
    assert torch.equal(first.candidate_rows, again.candidate_rows)
    assert not torch.equal(first.query_rows, other.query_rows)
    single = labels_of([("xy"[i % 2],) for i in range(20)], {"kind": list("xy")})
    assert torch.equal(first.candidate_rows, draw_protocol(single)["kind"].candidate_rows)
    assert first.candidate_rows.tolist() != sorted(first.candidate_rows.tolist())


def test_over_the_folds_every_image_is_a_query_once():
    folds = [draw_protocol(many(), fold=fold)["mark"].query_rows for fold in range(5)]
    assert torch.cat(folds).sort().values.tolist() == list(range(43))


def test_of_several_values_each_is_searched_for():
    lists = draw_protocol(multi_label(), candidates_per_query=1)["mark"]
    labels = multi_label().of(0)
    assert lists.candidate_values.dtype == torch.bool
    assert torch.equal(lists.candidate_values, labels[lists.candidate_rows])
    asked = set(zip(lists.query_rows.tolist(), lists.query_values.tolist(), strict=True))
    queries = set(lists.query_rows.tolist())
    assert len(queries) == len(lists.candidate_rows) == 3
    assert asked == {(row, value) for row, value in labels.nonzero().tolist() if row in queries}


def test_published_lists_keep_their_order(tmp_path):
    queries, candidates = tmp_path / "query.txt", tmp_path / "candidate.txt"
    queries.write_text("5 0 2\n1 0 0\n")
    candidates.write_text("4 0 3\n3 1 1\n4 0 1\n0 0 2\n")
    protocol = read_protocol(queries, candidates, vocabulary(), num_rows=6)
    assert list(protocol) == ["neck"]  # sleeve has no queries
    lists = protocol["neck"]
    assert lists.query_rows.tolist() == [5, 1] and lists.query_values.tolist() == [2, 0]
    assert lists.candidate_rows.tolist() == [4, 4, 0] and lists.candidate_values.tolist() == [3, 1, 2]
    queries.write_text("5 1 1\n")
    candidates.write_text("4 0 3\n")
    with pytest.raises(ValueError, match=r"query\.txt has queries for attribute 1 \('sleeve'\), and .* no candidates"):
        read_protocol(queries, candidates, vocabulary(), num_rows=6)
    with pytest.raises(ValueError, match=r"query\.txt, line 1: the index must lie in 0 to 4, got 5"):
        read_protocol(queries, candidates, vocabulary(), num_rows=5)


def test_what_cannot_be_divided_is_named():
    with pytest.raises(ValueError, match="attribute 'mark': 6 labelled images make no queries and candidates at 1:6"):
        draw_protocol(multi_label(), candidates_per_query=6)
    with pytest.raises(ValueError, match="`fold` must lie in 0 to 4, got 5"):
        draw_protocol(many(), fold=5)


def test_every_labelled_image_asks_all_the_others():
    labels = many()
    protocol = all_against_all(labels)
    assert list(protocol) == ["mark", "kind"]
    lists = protocol["kind"]
    assert lists.query_rows.sort().values.tolist() == lists.candidate_rows.sort().values.tolist() == list(range(20))
    assert torch.equal(lists.candidate_rows[lists.own_places], lists.query_rows)
    assert torch.equal(lists.query_values, labels.value_ids[lists.query_rows, 1])
    assert lists.candidate_rows.tolist() != list(range(20)), "their order breaks ties, and the corpus may be sorted"


def test_an_image_of_several_values_asks_for_each_and_never_finds_itself():
    lists = all_against_all(multi_label())["mark"]
    assert len(lists.query_rows) > len(lists.candidate_rows)
    assert torch.equal(lists.candidate_rows[lists.own_places], lists.query_rows)


def test_an_attribute_with_one_labelled_image_has_no_list():
    labels = labels_of([("a", "x"), ("b", None)], {"mark": ["a", "b"], "kind": ["x", "y"]})
    assert list(all_against_all(labels)) == ["mark"]


def test_all_folds_are_those_of_one_division():
    folds = draw_folds(many(), seed=3)
    for fold, protocol in enumerate(folds):
        expected = draw_protocol(many(), seed=3, fold=fold)["mark"]
        assert torch.equal(protocol["mark"].query_rows, expected.query_rows)
    assert torch.cat([protocol["mark"].query_rows for protocol in folds]).sort().values.tolist() == list(range(43))
