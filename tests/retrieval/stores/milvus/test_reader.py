"""Reads and searches in Milvus go in as many messages as they need."""

import pytest
import torch

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.conditions.tree import Comparison
from hf_fashion.retrieval.stores.milvus import reader as milvus_reader
from hf_fashion.retrieval.stores.milvus import store as milvus_store
from hf_fashion.retrieval.stores.milvus.connection import MilvusConnection, MilvusRefusal
from tests.retrieval.galleries import METADATA, SPACES, filled, ids, vectors
from tests.retrieval.stores.milvus.calls import counted


def test_what_one_message_cannot_hold_goes_in_several(milvus_uri, monkeypatch):
    monkeypatch.setattr(milvus_reader, "MAX_ROWS", 7)
    monkeypatch.setattr(milvus_reader, "IDS_AT_ONCE", 3)
    monkeypatch.setattr(milvus_store, "IDS_AT_ONCE", 3)
    monkeypatch.setattr(milvus_store, "MESSAGE_BYTES", 1000)
    names = ["it's", 'a "b"', "back\\slash\\", "größe", "a\nb", "%", "\x7f", "😀", "z" * 1000, *ids(19)]
    gallery = Gallery.create(milvus_uri, SPACES)
    calls = counted(monkeypatch, milvus_uri.rsplit("/", 1)[1])
    gallery.add(names, vectors(28))
    assert calls["upsert"] > 1
    calls.clear()
    assert sorted(gallery.ids()) == sorted(names)
    assert calls["query"] == 5  # four pages of seven, and what shows that there are no more
    assert sorted(gallery._store.read(["id"], Comparison("id", "<", "p"))["id"].to_pylist()) == sorted(
        n for n in names if n < "p"
    )
    expected = torch.nn.functional.normalize(vectors(28)["neckline"], dim=-1)
    torch.testing.assert_close(gallery.vectors(names, "neckline"), expected, atol=1e-3, rtol=0)
    calls.clear()
    assert gallery.delete([*names[:11], "nobody", names[0]]) == 11
    assert (calls["query"], calls["delete"]) == (4, 4)  # twelve ids are looked for, eleven are there
    assert sorted(gallery.ids()) == sorted(names[11:])


LISTED = ["id", *METADATA.names, "vector_0"]


def test_many_queries_of_long_lists_go_in_several_searches(milvus_uri, monkeypatch):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)
    gallery, queries = filled(milvus_uri), vectors(9, seed=1)["neckline"]
    calls = counted(monkeypatch, milvus_uri.rsplit("/", 1)[1])
    together = gallery.search(queries, "neckline", 20)
    assert calls["search"] == 1
    monkeypatch.setattr(milvus_reader, "MESSAGE_BYTES", 54 * gallery._store._columns.row_bytes(LISTED))
    assert gallery.search(queries, "neckline", 20).ids == together.ids
    assert calls["search"] == 1 + 5  # two queries of 27 rows each in a message, and the last query
    with pytest.raises(ValueError, match="`top_k` must be at most 16,384 on Milvus, got 20,000"):
        gallery.search(queries, "neckline", 20_000)


def test_what_the_server_refuses_is_not_blamed_on_the_filter(milvus_uri, monkeypatch):
    store, call = filled(milvus_uri, 4)._store, MilvusConnection.call

    def refusing(self, name, *arguments, **options):
        if name == "query" and options.get("filter") == "column_1 > 1.0":
            raise MilvusRefusal("no memory")
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", refusing)
    with pytest.raises(MilvusRefusal, match="no memory"):
        store.read(["id"], Comparison("price", ">", 1.0))
