"""LanceDB's errors are translated: what is damage, what is not, and what to do."""

import resource
from types import SimpleNamespace

import pyarrow as pa
import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance.errors import failure
from hf_fashion.retrieval.stores.lance.store import LanceStore
from tests.retrieval.galleries import filled, ids, metadata, vectors


def changes(gallery: Gallery) -> dict:
    """Every call that writes or reads the table's manifest."""
    return {
        "count": lambda: len(gallery),
        "add": lambda: gallery.add(ids(1, first=50), vectors(1), metadata(1)),
        "delete": lambda: gallery.delete(["p001"]),
        "index": lambda: gallery._store.build_index(["vector_0"], "IVF_HNSW_SQ"),
    }


def test_another_writer_and_a_lost_network_are_no_damage():
    conflict = RuntimeError("lance error: Retryable commit conflict for version 3: changed by a concurrent writer")
    assert "another process changed it at the same time" in str(failure("gallery", conflict))
    lost = RuntimeError("lance error: LanceError(IO): Generic S3 error: error sending request")
    assert "s3://shop/gallery cannot be reached" in str(failure("s3://shop/gallery", lost))


def test_a_filter_or_a_type_that_lancedb_refuses_is_no_damage():
    for text in (
        "lance error: Invalid user input: Error resolving filter expression price < 1: Received literal Float64(1)",
        "lance error: LanceError(Schema): Unsupported data type: Decimal32(5, 2), datatypes.rs:408:28",
    ):
        error = failure("gallery", RuntimeError(text))
        assert isinstance(error, ValueError) and "the gallery at gallery is as it was. Filter by" in str(error)


def test_a_broken_index_does_not_cost_the_gallery():
    text = "lance error: Not found: gallery.lance/_indices/1234/index.idx, object_store.rs:600"
    assert "Build it again with `build_index`" in str(failure("gallery", RuntimeError(text)))


def test_mistakes_of_the_caller_keep_their_own_errors(tmp_path, monkeypatch):
    store = LanceStore.open(filled(tmp_path / "gallery")._store.uri)
    with pytest.raises(ValueError, match="strange"):
        store.upsert(store.read(["id"]).append_column("strange", pa.array([1] * 40)))
    with pytest.raises(AttributeError):
        store.delete([3])

    def endless():
        raise RecursionError("too deep")

    monkeypatch.setattr(store, "_table", SimpleNamespace(count_rows=endless))
    with pytest.raises(RecursionError, match="too deep"):
        store.count()


@pytest.mark.parametrize("change", ["add", "delete", "index"])
def test_a_full_disk_is_no_damage(tmp_path, change):
    gallery = filled(tmp_path / "gallery")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the nearest to a full disk that a test can make
    try:
        with pytest.raises(OSError, match=r"its products are kept\. Check the disk's free space.*File too large"):
            changes(gallery)[change]()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(gallery) == 40


@pytest.mark.parametrize("change", ["count", "add", "delete", "index"])
def test_damage_while_a_gallery_is_open_is_named(tmp_path, change):
    gallery = filled(tmp_path / "gallery")
    for manifest in (tmp_path / "gallery" / "gallery.lance" / "_versions").glob("*.manifest"):
        manifest.write_bytes(manifest.read_bytes()[:100])
    with pytest.raises(OSError, match=r"gallery is damaged: .*restore them from a backup"):
        changes(gallery)[change]()
