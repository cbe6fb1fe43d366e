import pytest

from hf_fashion.data.sources import row_groups as module
from hf_fashion.data.sources.row_groups import row_groups


@pytest.mark.parametrize(
    ("most", "groups"),
    [(None, [["aa", "bbb"], ["cccccc"], ["d"]]), (1, [["aa"], ["bbb"], ["cccccc"], ["d"]])],
)
def test_a_group_ends_with_enough_bytes_or_parts(monkeypatch, most, groups):
    monkeypatch.setattr(module, "BYTES_PER_GROUP", 5)
    assert list(row_groups(["aa", "bbb", "cccccc", "d"], len, most)) == groups


def test_no_parts_are_no_group():
    assert list(row_groups([], len)) == []


def test_parts_are_read_a_group_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "BYTES_PER_GROUP", 2)
    parts = iter(["a", "b", "c"])
    assert next(row_groups(parts, len)) == ["a", "b"]
    assert list(parts) == ["c"]
