"""Searches through Milvus's indexes find what searches without one find."""

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.milvus import index as milvus_index
from hf_fashion.retrieval.stores.milvus.connection import MilvusConnection, MilvusRefusal
from tests.retrieval.galleries import METADATA, brute_force, filled, ids, metadata
from tests.retrieval.stores.milvus.calls import counted


@pytest.fixture
def never_in_memory(monkeypatch):
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)


@pytest.mark.usefixtures("never_in_memory")
def test_an_index_finds_what_a_plain_loop_finds_and_what_is_changed_later(milvus_uri, caplog):
    columns = {"sizes": pa.list_(pa.string()), "new": pa.bool_(), "day": pa.date32()}
    gallery = Gallery.create(milvus_uri, {"image": 16}, pa.schema([*METADATA, *columns.items()]))
    generator = torch.Generator().manual_seed(0)
    rows = metadata(300) | {"sizes": [["S"], None] * 150, "new": [True, None, False] * 100, "day": [None] * 300}
    gallery.add(ids(300), {"image": torch.randn(300, 16, generator=generator)}, rows)
    queries = torch.randn(5, 16, generator=generator)
    for kind in ("HNSW", "IVF_SQ8"):
        gallery.build_index(kind)
        assert Gallery.open(milvus_uri).info()["index"] == {"image": {"kind": kind, "products": 300}}
        for condition, names in (
            (None, ids(300)),
            ("brand = 'Lumaro' AND price < 200", ids(300)[:200:3]),
            ("brand IS NULL OR NOT new", ids(300)[2::3]),
            ("NOT array_has(sizes, 'S')", []),
        ):
            results = gallery.search(queries, "image", 10, condition)
            wanted = [brute_force(gallery, query, "image", 10, names) for query in queries]
            hits = sum(len(set(a) & set(b)) for a, b in zip(results.ids, wanted, strict=True))
            assert hits >= 0.9 * sum(map(len, wanted)), condition
            assert sum(map(len, results.ids)) == sum(map(len, wanted))
    gallery.add(["p007", "p300"], {"image": queries[:2]}, {name: values[:2] for name, values in rows.items()})
    gallery.compact()
    assert gallery.search(queries[:2], "image", 1).ids == (("p007",), ("p300",))
    gallery.delete(["p300"])
    assert gallery.search(queries[1:2], "image", 1).ids != (("p300",),)
    assert caplog.records == []  # Milvus Lite prints a traceback when it is asked what it does not know


@pytest.mark.usefixtures("never_in_memory")
@pytest.mark.parametrize("kind", ["LSH", "IVF_RQ", "IVF_RABITQ"])
def test_a_kind_that_the_server_has_not_is_refused(milvus_uri, kind):
    gallery = filled(milvus_uri, 4)
    with pytest.raises(ValueError, match=rf"one of \['IVF_SQ8', 'HNSW'\] in Milvus Lite, got '{kind}'"):
        gallery.build_index(kind)
    assert len(gallery.search(torch.ones(1, 8), "neckline", 9).ids[0]) == 4


@pytest.mark.usefixtures("never_in_memory")
def test_an_index_that_the_server_refuses_leaves_a_gallery_that_is_found(milvus_uri, monkeypatch):
    gallery, create_index = filled(milvus_uri, 4), MilvusConnection.create_index

    def refused(self, name, field, kind, parameters):
        if kind == "IVF_SQ8":
            raise MilvusRefusal("no such kind here")
        create_index(self, name, field, kind, parameters)

    monkeypatch.setattr(MilvusConnection, "create_index", refused)
    with pytest.raises(ValueError, match="`kind` 'IVF_SQ8' cannot be built: no such kind here"):
        gallery.build_index("IVF_SQ8")
    assert gallery.info()["index"] == {}
    assert len(gallery.search(torch.ones(1, 8), "neckline", 9).ids[0]) == 4


@pytest.mark.usefixtures("never_in_memory")
@pytest.mark.parametrize(("kind", "reach"), [("IVF_SQ8", "_GROUPS_SEARCHED"), ("HNSW", "_SEARCHED_AT_LEAST")])
def test_a_filter_that_leaves_few_rows_finds_them_all_through_an_index(milvus_uri, monkeypatch, kind, reach):
    monkeypatch.setattr(milvus_index, reach, 1)
    generator, rows = torch.Generator().manual_seed(0), 5000
    gallery = Gallery.create(milvus_uri, {"image": 4}, pa.schema([("rare", pa.bool_())]))
    gallery.add(
        [f"p{number:04d}" for number in range(rows)],
        {"image": torch.randn(rows, 4, generator=generator)},
        {"rare": [number % 500 == 0 for number in range(rows)]},
    )
    gallery.build_index(kind)
    calls = counted(monkeypatch, milvus_uri.rsplit("/", 1)[1])
    found = gallery.search(torch.randn(2, 4, generator=generator), "image", 10, "rare")
    assert [sorted(names) for names in found.ids] == [[f"p{number:04d}" for number in range(0, rows, 500)]] * 2
    assert calls["search"] == 2
    assert [len(names) for names in gallery.search(torch.ones(1, 4), "image", 1).ids] == [1]
    assert calls["search"] == 3  # as many as were asked for: it is not searched again


@pytest.mark.usefixtures("never_in_memory")
def test_a_lost_index_is_none(milvus_uri):
    gallery, name = filled(milvus_uri, 4), milvus_uri.rsplit("/", 1)[1]
    gallery.build_index("HNSW")
    gallery._store._connection.call("release_collection", name)
    gallery._store._connection.call("drop_index", name, "vector_0")
    assert gallery._store._connection.call("describe_index", name, "vector_0") is None
    assert gallery.info()["index"] == {}
