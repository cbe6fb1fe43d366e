"""Errors of Milvus's servers say what to do, and never show the token."""

import sys

import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.milvus import connection as milvus_connection
from tests.retrieval.galleries import SPACES, filled


def test_what_the_server_refuses_is_said_without_a_traceback(milvus_uri, capfd):
    """pymilvus prints one for every error that it raises."""
    import pymilvus

    connection = filled(milvus_uri, 2)._store._connection
    fields = pymilvus.MilvusClient.create_schema(auto_id=False)
    fields.add_field("id", pymilvus.DataType.VARCHAR, is_primary=True, max_length=9)
    fields.add_field("vector", pymilvus.DataType.FLOAT16_VECTOR, dim=2)  # Milvus Lite has none
    with pytest.raises(ValueError, match="the server cannot keep these columns: Milvus refused a call") as error:
        connection.create_collection("other", fields, ["vector"])
    assert error.value.__suppress_context__
    with pytest.raises(
        OSError, match=r"refused a call for the gallery at milvus\+http.*unknown field 'nope'"
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


def test_a_file_that_another_process_has_open_is_named(milvus_file, tmp_path):
    from milvus_lite.db import MilvusLite

    refused = pytest.raises(OSError, match="cannot be opened: another process has it open, and only one can")
    with MilvusLite(str(tmp_path / "gallery.db")), refused:  # the lock is of the open file, not of the process
        Gallery.create(milvus_file, SPACES)
    filled(milvus_file)
