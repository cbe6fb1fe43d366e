"""Two writers in one folder: each waits for the other, and no id is added twice."""

import threading

import pytest

from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import lease
from hf_fashion.retrieval.stores.lance.lease import writers_lease
from tests.retrieval.galleries import METADATA, SPACES, filled, ids, metadata, vectors
from tests.warm_processes import WarmProcess, run_warm


WRITER = """
import sys
from hf_fashion.retrieval.gallery import Gallery
from tests.retrieval.galleries import ids, metadata, vectors

gallery = Gallery.open(sys.argv[1])
for number in range(20):
    gallery.add(ids(5, first=5 * number), vectors(5, seed=int(sys.argv[2])), metadata(5))
"""


def test_processes_that_add_the_same_products_add_each_once(tmp_path):
    Gallery.create(tmp_path, SPACES, METADATA)
    writers = [WarmProcess(["-c", WRITER, str(tmp_path), seed]) for seed in "123"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sorted(Gallery.open(tmp_path).ids()) == ids(100)


@pytest.mark.parametrize("shared", [True, False], ids=["one gallery", "a gallery each"])
def test_threads_that_add_the_same_products_add_each_once(tmp_path, shared):
    gallery = Gallery.create(tmp_path, SPACES, METADATA)

    def write(seed: int) -> None:
        mine = gallery if shared else Gallery.open(tmp_path)
        for number in range(10):
            mine.add(ids(5, first=5 * number), vectors(5, seed), metadata(5))

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Gallery.open(tmp_path).ids()) == ids(50)


def test_the_primary_key_keeps_ids_single_where_there_is_no_lock(tmp_path, monkeypatch):
    """As in object storage."""
    monkeypatch.setattr(lease, "FileLock", lambda *_, **__: threading.Semaphore(99))
    test_threads_that_add_the_same_products_add_each_once(tmp_path, shared=False)


def test_a_lease_is_waited_for_and_said(tmp_path, monkeypatch, caplog):
    gallery = filled(tmp_path, 4)
    monkeypatch.setattr(lease, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(lease, "PATIENCE_SECONDS", 0.1)
    with (
        writers_lease(str(tmp_path)),
        pytest.raises(TimeoutError, match="another process or thread has been changing"),
    ):
        gallery.delete(["p000"])
    assert "another process is changing the gallery" in caplog.text
    assert len(gallery) == 4 and gallery.delete(["p000"]) == 1


def test_a_lease_ends_with_its_process(tmp_path):
    filled(tmp_path, 4)
    holder = (
        "import os, sys; from hf_fashion.retrieval.stores.lance.lease import writers_lease\n"
        "writers_lease(sys.argv[1]).__enter__(); print('held', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = run_warm(["-c", holder, str(tmp_path)])
    assert killed.stdout == "held\n"
    assert Gallery.open(tmp_path).delete(["p000"]) == 1


def test_object_storage_has_no_lease():
    entered = 0
    for _ in range(2):
        with writers_lease("s3://bucket/gallery"), writers_lease("s3://bucket/gallery"):  # neither waits
            entered += 1
    assert entered == 2
