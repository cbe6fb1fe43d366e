"""URIs of galleries: which are Milvus's, and what is no URI."""

from pathlib import Path

import pytest

from hf_fashion.retrieval.stores.milvus.address import MilvusAddress, is_milvus


@pytest.mark.parametrize(
    ("uri", "endpoint", "collection", "file"),
    [
        ("milvus+http://localhost:19530/coats", "http://localhost:19530", "coats", None),
        ("milvus+https://in01.example.com/_A1", "https://in01.example.com", "_A1", None),
        ("milvus+http://coats.db:19530/coats", "http://coats.db:19530", "coats", None),
        ("milvus+file:/data/coats.db", "/data/coats.db", "gallery", Path("/data/coats.db")),
        ("milvus+file:///data/coats.db", "/data/coats.db", "gallery", Path("/data/coats.db")),
        ("milvus+file:my coats@home.db", "my coats@home.db", "gallery", Path("my coats@home.db")),
    ],
)
def test_a_uri_is_taken_apart(uri, endpoint, collection, file):
    assert is_milvus(uri)
    assert MilvusAddress.parse(uri) == MilvusAddress(uri, endpoint, collection)
    assert MilvusAddress.parse(uri).file == file


@pytest.mark.parametrize("uri", ["my_gallery", "milvus", "milvus/coats.db", "/data/milvus+x", "s3://milvus/gallery"])
def test_all_others_are_lancedbs(uri):
    assert not is_milvus(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "milvus://localhost/coats",
        "milvus+ftp://localhost/coats",
        "milvus+http://localhost:19530",
        "milvus+http://localhost:19530/",
        "milvus+http:/localhost/coats",
        "milvus+http://localhost/my-coats",
        "milvus+http://localhost/database/coats",
        "milvus+http://localhost/1st",
        "milvus+http://localhost/coats?token=S3cret",
        "milvus+http://localhost/coats#S3cret",
        "milvus+file:/data/coats",
        "milvus+file://host/coats.db",
    ],
)
def test_what_is_no_uri_is_refused(uri):
    with pytest.raises(
        ValueError, match=r"a URI such as 'milvus\+http://host:19530/collection', .* got 'milvus"
    ) as error:
        MilvusAddress.parse(uri)
    assert "S3cret" not in str(error.value)


@pytest.mark.parametrize(
    "where", ["http://root:S3cret@localhost/coats", "http:root:S3cret@localhost/coats", "://S3cret@x"]
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(where):
    with pytest.raises(ValueError, match=r"no user or password: put the token, .* MILVUS_TOKEN") as error:
        MilvusAddress.parse(f"milvus{'' if where[0] == ':' else '+'}{where}")
    assert "S3cret" not in str(error.value)


def test_a_host_that_pymilvus_takes_for_a_file_needs_its_port():
    with pytest.raises(ValueError, match=r"host whose name ends in \.db for a file, got 'coats\.db': add its port"):
        MilvusAddress.parse("milvus+http://coats.db/coats")
