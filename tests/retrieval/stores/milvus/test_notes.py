"""Every change of a gallery in Milvus has a version."""

import pytest

from hf_fashion.retrieval.stores.milvus.store import MilvusStore
from tests.retrieval.galleries import filled, ids, metadata, vectors


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


def test_the_version_is_odd_while_one_of_two_changes_goes_on_or_has_failed(milvus_uri):
    filled(milvus_uri, 1)
    first, second = (MilvusStore.open(milvus_uri)._notes for _ in range(2))
    with pytest.raises(KeyboardInterrupt), first.change():
        first.begin()
        with second.change():
            second.begin()
        assert second.version() % 2 == 0
        first.begin()
        assert second.version() % 2 == 1
        with second.change():
            second.begin()
        raise KeyboardInterrupt
    assert second.version() % 2 == 1
