"""What Milvus keeps: interrupted beginnings, versions, limits of messages and values, servers that are gone."""

import signal
import subprocess
import sys
from collections import Counter

import pyarrow as pa
import pytest
import torch

from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.conditions import Comparison
from hf_fashion.retrieval.stores.milvus import (
    connection as milvus_connection,
)
from hf_fashion.retrieval.stores.milvus import (
    index as milvus_index,
)
from hf_fashion.retrieval.stores.milvus import (
    reader as milvus_reader,
)
from hf_fashion.retrieval.stores.milvus import (
    store as milvus_store,
)
from hf_fashion.retrieval.stores.milvus.connection import MilvusConnection, MilvusRefusal
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from tests.conftest import REPOSITORY
from tests.retrieval.galleries import METADATA, SPACES, brute_force, filled, ids, metadata, vectors


SCHEMA = GallerySchema(SPACES, METADATA, "Model-1").to_table()
ATTACHMENTS = {"axes of 'image'": bytes(range(256)), "empty": b"", "largest": bytes(2**15)}


class Killed(BaseException):
    """Stands for the end of a process."""


def killed_at(monkeypatch, method: str, number: int = 1):
    """The process ends when it calls a method of pymilvus's for the `number`th time from now on."""
    call, calls = MilvusConnection.call, []

    def counted(self, name, *arguments, **options):
        calls.append(name)
        if calls.count(method) == number and name == method:
            raise Killed
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", counted)


def counted(monkeypatch, collection: str) -> Counter:
    """How often each method of pymilvus's is called for this collection from now on."""
    call, calls = MilvusConnection.call, Counter()

    def counting(self, name, *arguments, **options):
        calls[name] += arguments[:1] == (collection,)
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", counting)
    return calls


def test_attachments_are_kept_beside_the_table(milvus_uri):
    MilvusStore.create(milvus_uri, SCHEMA, ATTACHMENTS)
    MilvusStore.create(milvus_uri + "_without", SCHEMA)
    opened = MilvusStore.open(milvus_uri)
    assert opened.attachments() == ATTACHMENTS
    assert opened.schema.equals(SCHEMA, check_metadata=True)
    assert MilvusStore.open(milvus_uri + "_without").attachments() == {}


@pytest.mark.parametrize(
    ("method", "number"),
    [
        ("create_collection", 1),
        ("upsert", 1),
        ("upsert", 2),
        ("create_collection", 2),
        ("load_collection", 2),
        ("upsert", 3),
    ],
)
def test_a_gallery_whose_making_was_interrupted_is_made_anew(milvus_uri, monkeypatch, method, number):
    with monkeypatch.context() as patch:
        killed_at(patch, method, number)
        with pytest.raises(Killed):
            MilvusStore.create(milvus_uri, SCHEMA, {"axes": b"old", "more": b""})
    with pytest.raises(FileNotFoundError, match="there is no gallery"):
        MilvusStore.open(milvus_uri)
    MilvusStore.create(milvus_uri, SCHEMA, {"axes": b"new"})
    assert MilvusStore.open(milvus_uri).attachments() == {"axes": b"new"}


def test_a_gallery_is_deleted_with_its_collection(milvus_uri):
    store = filled(milvus_uri)._store
    store._connection.call("drop_collection", milvus_uri.rsplit("/", 1)[1])
    for call in (lambda: Gallery.open(milvus_uri), store.count, lambda: store.read(["id"])):
        with pytest.raises(FileNotFoundError, match="there is no gallery at milvus"):
            call()
    assert len(Gallery.create(milvus_uri, SPACES)) == 0


def test_another_ones_collection_is_neither_read_nor_replaced(milvus_uri, milvus_server):
    from pymilvus import MilvusClient

    client, name = MilvusClient(milvus_server), milvus_uri.rsplit("/", 1)[1]
    client.create_collection(name, dimension=4)
    for call in (MilvusStore.open, lambda uri: MilvusStore.create(uri, SCHEMA)):
        with pytest.raises(ValueError, match="is not a gallery: hf_fashion did not write it"):
            call(milvus_uri)
    assert client.has_collection(name)


def test_every_change_has_a_version_that_others_see(milvus_uri):
    gallery = filled(milvus_uri, 4)
    writer, reader = gallery._store, MilvusStore.open(milvus_uri)
    versions = [reader.refresh()]
    assert reader.refresh() == versions[0] == writer.refresh()
    gallery.add(ids(1, first=4), vectors(1), metadata(1))
    versions.append(reader.refresh())
    gallery.delete(["p001"])
    versions.append(reader.refresh())
    assert len(set(versions)) == 3
    assert len(gallery) == reader.count() == 4
    gallery.delete(["nobody"])
    gallery.add([], {space: rows[:0] for space, rows in vectors(1).items()}, metadata(0))
    assert reader.refresh() == versions[-1]


@pytest.mark.parametrize("number", [2, 3], ids=["before the rows", "after the rows"])
def test_after_a_kill_in_the_middle_nothing_stale_is_found(milvus_uri, monkeypatch, number):
    reader, query = filled(milvus_uri, 10), vectors(1, seed=3)["neckline"]
    writer = Gallery.open(milvus_uri)
    assert "p010" not in reader.search(query, "neckline", 20).ids[0]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, "upsert", number)
        writer.add(["p010"], vectors(1, seed=3), metadata(1))
    assert reader._store.refresh() != reader._store.refresh()
    assert len(reader) == (11 if number == 3 else 10)
    assert ("p010" in reader.search(query, "neckline", 20).ids[0]) == (number == 3)
    Gallery.open(milvus_uri).add(["p010"], vectors(1, seed=3), metadata(1))
    assert reader.search(query, "neckline", 1).ids == (("p010",),)
    assert reader._store.refresh() == reader._store.refresh()


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
    monkeypatch.setattr(milvus_reader, "MESSAGE_BYTES", 40 * gallery._store._columns.row_bytes(LISTED))
    assert gallery.search(queries, "neckline", 20).ids == together.ids
    assert calls["search"] == 1 + 5  # two queries of twenty rows each in a message, the last one alone
    with pytest.raises(ValueError, match="`top_k` must be at most 16,384 on Milvus, got 20,000"):
        gallery.search(queries, "neckline", 20_000)


STRANGE = [pa.binary(), pa.uint64(), pa.decimal128(5, 2), pa.time32("s"), pa.struct([("a", pa.int8())])]
STRANGE += [pa.list_(pa.list_(pa.int8())), pa.list_(pa.binary()), pa.dictionary(pa.int8(), pa.string())]


@pytest.mark.parametrize("kind", STRANGE, ids=str)
def test_a_column_that_milvus_cannot_keep_is_named(milvus_uri, kind):
    with pytest.raises(ValueError) as error:
        Gallery.create(milvus_uri, SPACES, pa.schema([("brand", pa.string()), ("odd one", kind)]))
    assert f"cannot keep the metadata column 'odd one' of type {kind}: it keeps strings" in str(error.value)
    with pytest.raises(FileNotFoundError):
        Gallery.open(milvus_uri)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("text", "ä" * 32_768, "at most 65,535 bytes a string, column 'text' has one of 65,536"),
        ("text", "ä" * 32_767, None),
        ("price", float("nan"), "no NaN and no infinite numbers, column 'price'"),
        ("price", float("-inf"), "no NaN"),
        ("sizes", ["S", None], "no missing values inside lists, column 'sizes'"),
        ("sizes", ["S"] * 4097, "at most 4,096 items a list, column 'sizes' has one of 4,097"),
        ("sizes", ["x" * 65_536], "at most 65,535 bytes a string, column 'sizes'"),
        ("numbers", [0.0, float("inf")], "no NaN and no infinite numbers, column 'numbers'"),
    ],
)
def test_a_value_that_milvus_cannot_keep_is_said_and_nothing_is_added(milvus_uri, column, value, message):
    lists = [("sizes", pa.list_(pa.string())), ("numbers", pa.list_(pa.float32()))]
    gallery = Gallery.create(
        milvus_uri, {"image": 2}, pa.schema([("text", pa.string()), ("price", pa.float32()), *lists])
    )
    rows = {name: [None, None] for name in gallery.schema.metadata.names} | {column: [None, value]}
    if message is None:
        gallery.add(["a", "b"], {"image": torch.eye(2)}, rows)
        assert gallery.search(torch.eye(2)[1:], "image", 1).metadata[0][0][column] == value
        return
    version = gallery.info()["version"]
    with pytest.raises(ValueError, match=message):
        gallery.add(["a", "b"], {"image": torch.eye(2)}, rows)
    assert gallery.info()["version"] == version and len(gallery) == 0


def test_what_the_server_refuses_is_said_without_a_traceback(milvus_uri, capfd):
    """pymilvus prints one for every error that it raises."""
    import pymilvus

    connection = filled(milvus_uri, 2)._store._connection
    fields = pymilvus.MilvusClient.create_schema(auto_id=False)
    fields.add_field("id", pymilvus.DataType.VARCHAR, is_primary=True, max_length=9)
    fields.add_field("vector", pymilvus.DataType.FLOAT16_VECTOR, dim=2)  # Milvus Lite has none
    with pytest.raises(ValueError, match="the columns do not suit the server: Milvus will not do it") as error:
        connection.create_collection("other", fields, ["vector"])
    assert error.value.__suppress_context__
    with pytest.raises(
        OSError, match=r"will not do it for the gallery at milvus\+http.*unknown field 'nope'"
    ) as error:
        connection.call("query", milvus_uri.rsplit("/", 1)[1], filter="nope == 1")
    assert error.value.__suppress_context__
    assert capfd.readouterr().err == ""


def test_a_server_that_is_not_there_is_no_missing_gallery():
    for call in (Gallery.open, lambda uri: Gallery.create(uri, SPACES)):
        with pytest.raises(
            ConnectionError, match=r"milvus\+http://127.0.0.1:1/g cannot be reached: .* Start the server"
        ):
            call("milvus+http://127.0.0.1:1/g")


def test_a_server_that_goes_away_is_named(tmp_path, monkeypatch):
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    server, database, port = start_server_in_thread(str(tmp_path))
    gallery = filled(f"milvus+http://127.0.0.1:{port}/gone", 4)
    server.stop(grace=None).wait()
    database.close()
    monkeypatch.setattr(milvus_connection, "CALL_SECONDS", 0.2)
    for call in (lambda: len(gallery), lambda: gallery.delete(["p001"]), gallery.compact):
        with pytest.raises(ConnectionError, match=r"/gone cannot be reached: .* correct the URI or the environment"):
            call()


def test_the_token_is_sent_and_never_shown(milvus_uri, monkeypatch):
    import pymilvus

    given = {}

    def refusing(**options):
        given.update(options)
        raise pymilvus.MilvusException(message=f"no user has the token {options['token']}")

    monkeypatch.setenv("MILVUS_TOKEN", "root:S3cret")
    assert "S3cret" not in str(filled(milvus_uri, 2).info())
    monkeypatch.setattr(pymilvus, "MilvusClient", refusing)
    with pytest.raises(OSError, match=r"no user has the token \*\*\*") as error:
        Gallery.open(milvus_uri)
    assert given["token"] == "root:S3cret"
    assert "S3cret" not in str(error.value) and error.value.__cause__ is None and error.value.__suppress_context__


@pytest.mark.parametrize("package", ["pymilvus", "milvus_lite.server_manager"])
def test_without_pymilvus_the_extra_is_named(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'hf-fashion\[milvus\]'"):
        Gallery.create(f"milvus+file:{tmp_path}/new/gallery.db", SPACES)
    assert not (tmp_path / "new").exists()


def test_a_gallery_can_be_a_file(milvus_file):
    with pytest.raises(FileNotFoundError, match="there is no gallery at milvus"):
        Gallery.open(milvus_file)
    gallery = filled(milvus_file)
    assert gallery.info()["uri"] == milvus_file
    assert len(Gallery.open(milvus_file)) == 40


def test_a_file_that_another_process_has_open_is_named(milvus_file, tmp_path):
    from milvus_lite.db import MilvusLite

    refused = pytest.raises(OSError, match="cannot be opened: another process has it open, only one can")
    with MilvusLite(str(tmp_path / "gallery.db")), refused:  # the lock is of the open file, not of the process
        Gallery.create(milvus_file, SPACES)
    filled(milvus_file)


KILLED = """
import os, signal, sys
from hf_fashion.retrieval.stores.milvus.notes import MilvusNotes
from tests.retrieval.galleries import filled, ids, metadata, vectors

gallery = filled(sys.argv[1])
MilvusNotes.finish = lambda self: os.kill(os.getpid(), signal.SIGKILL)
gallery.add(ids(9, first=40), vectors(9), metadata(9))
"""


def test_rows_outlive_the_process_that_wrote_them(milvus_file):
    command = [sys.executable, "-c", KILLED, milvus_file]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True).returncode == -signal.SIGKILL
    gallery = Gallery.open(milvus_file)
    assert sorted(gallery.ids()) == ids(49)
    query = vectors(1, seed=1)["neckline"][0]
    assert gallery.search(query[None], "neckline", 5).ids[0] == tuple(
        brute_force(gallery, query, "neckline", 5, ids(49))
    )


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


@pytest.mark.usefixtures("never_in_memory")
def test_what_the_server_refuses_is_not_blamed_on_the_filter(milvus_uri, monkeypatch):
    gallery, call = filled(milvus_uri, 4), MilvusConnection.call

    def refusing(self, name, *arguments, **options):
        if name == "search":
            raise MilvusRefusal("no memory")
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", refusing)
    with pytest.raises(MilvusRefusal, match="no memory"):
        gallery.search(torch.ones(1, 8), "neckline", 2, "price > 1")
