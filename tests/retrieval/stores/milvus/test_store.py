"""Galleries in Milvus: created, interrupted, changed, read by others, kept in a file."""

import signal

import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.schema import GallerySchema
from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from tests.retrieval.galleries import METADATA, SPACES, brute_force, filled, ids, metadata, vectors
from tests.retrieval.stores.milvus.calls import Killed, killed_at
from tests.warm_processes import run_warm


SCHEMA = GallerySchema(SPACES, METADATA, "Model-1").to_table()


ATTACHMENTS = {"axes of 'image'": bytes(range(256)), "empty": b"", "largest": bytes(2**15)}


def test_attachments_are_kept_next_to_the_table(milvus_uri):
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
def test_a_gallery_whose_creation_was_interrupted_is_created_again(milvus_uri, monkeypatch, method, number):
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


def test_a_gallery_can_be_a_file(milvus_file):
    with pytest.raises(FileNotFoundError, match="there is no gallery at milvus"):
        Gallery.open(milvus_file)
    gallery = filled(milvus_file)
    assert gallery.info()["uri"] == milvus_file
    assert len(Gallery.open(milvus_file)) == 40


KILLED = """
import os, signal, sys
from hf_fashion.retrieval.stores.milvus.notes import MilvusNotes
from tests.retrieval.galleries import filled, ids, metadata, vectors

gallery = filled(sys.argv[1])
MilvusNotes.finish = lambda self: os.kill(os.getpid(), signal.SIGKILL)
gallery.add(ids(9, first=40), vectors(9), metadata(9))
"""


def test_rows_outlive_the_process_that_wrote_them(milvus_file):
    assert run_warm(["-c", KILLED, milvus_file]).returncode == -signal.SIGKILL
    gallery = Gallery.open(milvus_file)
    assert sorted(gallery.ids()) == ids(49)
    query = vectors(1, seed=1)["neckline"][0]
    assert gallery.search(query[None], "neckline", 5).ids[0] == tuple(
        brute_force(gallery, query, "neckline", 5, ids(49))
    )
