"""Batches are embedded in their order, while a few of the next ones are decoded."""

import threading
import time

import pytest
import torch

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from hf_fashion.retrieval.ingestion.prefetch import DECODING_THREADS, _ahead, embedded_batches, in_batches
from tests.data.corpora import products
from tests.tiny_e2 import tiny_model, tiny_processor


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_batches_hold_every_row_in_order(batch_size):
    rows = list(range(5, 12))
    batches = in_batches(rows, batch_size)
    assert [row for batch in batches for row in batch] == rows
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size
    assert in_batches([], batch_size) == []


def test_batches_are_embedded_in_their_order():
    dataset, encoder = products(9), Encoder(tiny_model(), tiny_processor())
    catalogue = Catalogue(dataset, "id", "image", [])
    batches = [[8, 0], [3], [5, 1, 2]]
    found = list(embedded_batches(encoder, catalogue, batches))
    for rows, batch in zip(batches, found, strict=True):
        expected = encoder.encode_document(dataset.select(rows)["image"][:], convert_to="tensor")
        torch.testing.assert_close(batch.vectors["image"], expected)
        assert batch.photo_hashes == catalogue.photo_hashes(rows)


def test_a_few_items_ahead_and_no_more():
    started, lock = [], threading.Lock()

    def slowest_first(item):
        with lock:
            started.append(item)
        time.sleep(0.02 if item == 0 else 0)
        return item * 10

    results = _ahead(slowest_first, iter(range(50)))
    for item in range(5):
        assert next(results) == item * 10
    assert len(started) <= 5 + DECODING_THREADS
    assert list(results) == [item * 10 for item in range(5, 50)]


def test_an_error_comes_in_its_turn():
    def divided(item):
        return 1 // item

    results = _ahead(divided, [1, 1, 0, 1])
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
