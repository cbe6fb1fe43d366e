"""Batches of triplets: their rows and order, and that only seed and epoch decide the draw."""

import pytest
from accelerate.data_loader import BatchSamplerShard

from hf_fashion.data.samplers.triplet_batches import TripletBatchSampler
from hf_fashion.data.samplers.triplets import TripletSampler
from tests.data.attribute_corpora import multi_label, single_label


@pytest.mark.parametrize("labels", [single_label(), multi_label()], ids=["single-label", "multi-label"])
def test_rows_are_anchor_positive_negative_of_the_values_they_name(labels):
    batches = list(TripletBatchSampler(labels, num_triplets=40, batch_size=5))
    assert len(batches) == 8
    for batch in batches:
        assert len(batch) == 15
        for anchor, positive, negative in zip(batch[::3], batch[1::3], batch[2::3], strict=True):
            assert anchor.attribute_id == positive.attribute_id == negative.attribute_id
            assert anchor.value_id == positive.value_id != negative.value_id
            assert anchor.row != positive.row
            carries = labels.of(anchor.attribute_id)
            for item in (anchor, positive, negative):
                assert carries[item.row, item.value_id]
            assert not carries[negative.row, anchor.value_id]


def test_the_triplets_of_an_epoch_in_their_order():
    drawn = TripletSampler(single_label(), 9, seed=3).draw(epoch=2)
    sampler = TripletBatchSampler(single_label(), num_triplets=9, batch_size=4, seed=3)
    sampler.set_epoch(2)
    items = [item for batch in sampler for item in batch]
    assert len(sampler) == 2 and sampler.batch_size == 12 and len(items) == 24
    assert [item.row for item in items[::3]] == drawn.anchors[:8].tolist()
    assert [item.row for item in items[1::3]] == drawn.positives[:8].tolist()
    assert [item.row for item in items[2::3]] == drawn.negatives[:8].tolist()
    assert [item.value_id for item in items[2::3]] == drawn.negative_value_ids[:8].tolist()


def test_seed_and_epoch_alone_decide():
    sampler, again = (TripletBatchSampler(single_label(), 12, 3, seed=1) for _ in range(2))
    first = list(sampler)
    assert list(sampler) == first == list(again)
    again.set_epoch(1)
    assert list(again) != first
    assert list(TripletBatchSampler(single_label(), 12, 3, seed=2)) != first


def test_two_processes_share_the_batches_of_one():
    """Accelerate deals the batches out in turn; those of a step, joined, are a batch of twice the size."""
    shards = [list(BatchSamplerShard(TripletBatchSampler(single_label(), 12, 2), 2, rank)) for rank in range(2)]
    joined = [first + second for first, second in zip(*shards, strict=True)]
    assert joined == list(TripletBatchSampler(single_label(), 12, 4))


def test_an_epoch_that_fills_no_batch_is_refused():
    with pytest.raises(ValueError, match="3 triplets an epoch make no batch of 4"):
        TripletBatchSampler(single_label(), 3, 4)
