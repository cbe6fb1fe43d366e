"""Places for galleries, a folder and a Milvus Lite server, and both ways to search them."""

import itertools

import pytest

from hf_fashion.retrieval import search as gallery_search


@pytest.fixture(scope="module")
def milvus_server(tmp_path_factory):
    """Return the address of a server on loopback; `milvus+{server}/name` is a gallery there.

    One for each module: a client that idles while other modules run pings the server, which then refuses it.
    """
    from milvus_lite.adapter.grpc.server import start_server_in_thread
    from pymilvus.client.connection_manager import ConnectionManager

    server, database, port = start_server_in_thread(str(tmp_path_factory.mktemp("milvus")))
    yield f"http://127.0.0.1:{port}"
    ConnectionManager.get_instance().close_all()
    server.stop(grace=None).wait()
    database.close()


@pytest.fixture(scope="session")
def _names():
    return itertools.count()


@pytest.fixture
def milvus_uri(milvus_server, _names) -> str:
    """Where there is no gallery yet."""
    return f"milvus+{milvus_server}/gallery_{next(_names)}"


@pytest.fixture(params=["LanceDB", "Milvus"])
def place(request, tmp_path) -> str:
    """Runs a test twice, with a gallery in each database; there is none yet."""
    return str(tmp_path / "gallery") if request.param == "LanceDB" else request.getfixturevalue("milvus_uri")


@pytest.fixture(params=["in memory", "by the store"])
def either_search(request, monkeypatch):
    """Run a test twice: galleries are searched in memory, and by the store."""
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 100 if request.param == "in memory" else 0)
