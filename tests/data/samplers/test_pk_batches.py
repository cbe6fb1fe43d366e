"""P x K batches: their sizes, their balance, which images repeat, and the shares of processes."""

from collections import Counter

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import DataLoader, Dataset

from hf_fashion.data.samplers import pk_batches
from hf_fashion.data.samplers.pk_batches import LabelledRow, PKBatchSampler, spread
from hf_fashion.losses.triplet_indices import batch_triplets
from tests.data.attribute_corpora import labels_of, multi_label, single_label


def many():
    """Three attributes of 6, 3 and 2 values on 120 images."""
    rows = [("abcdef"[i % 6], "xyz"[i % 3] if i % 2 else None, "pq"[i % 7 > 2]) for i in range(120)]
    return labels_of(rows, {"first": list("abcdef"), "second": list("xyz"), "third": list("pq")})


def test_places_are_shared_evenly_and_repeat_only_when_all_images_are_in():
    assert spread(16, [50, 50, 50, 50]) == [4, 4, 4, 4]
    assert spread(16, [50, 50, 50]) == [6, 5, 5]
    assert spread(16, [1, 50, 3, 50]) == [1, 6, 3, 6]
    assert spread(16, [1, 4, 3, 2]) == [3, 6, 4, 3]  # 10 images, and 6 repeats: 2, 2, 1 and 1


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_batches_hold_what_they_say(groups):
    labels = many()
    sampler = PKBatchSampler(labels, 12, values_per_group=4, images_per_value=3, attributes_per_batch=groups)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 12 and {len(batch) for batch in batches} == {12 * groups}
    assert sampler.batch_size == 12 * groups
    for batch in batches:
        by_attribute = Counter(item.attribute_id for item in batch)
        assert len(by_attribute) == groups and set(by_attribute.values()) == {12}
        assert len(set(batch)) == len(batch)  # 20 images a value and more: none comes twice
        assert all(labels.of(item.attribute_id)[item.row, item.value_id] for item in batch)
        for attribute, values in ((0, 4), (1, 3), (2, 2)):
            counts = Counter(item.value_id for item in batch if item.attribute_id == attribute)
            assert not counts or (len(counts) == values and set(counts.values()) == {12 // values})
    uses = Counter(attribute for batch in batches for attribute in {item.attribute_id for item in batch})
    assert max(uses.values()) - min(uses.values()) <= 1


def test_values_are_drawn_evenly():
    labels = many()
    batches = PKBatchSampler(labels, 1500, values_per_group=2, images_per_value=2, attributes_per_batch=3)
    counts = Counter(item.value_id for batch in batches for item in batch if item.attribute_id == 0)
    assert max(counts.values()) < 1.3 * min(counts.values()) and len(counts) == 6


def test_a_batch_yields_triplets_even_with_rare_values():
    for batch in PKBatchSampler(single_label(), 40, values_per_group=3, images_per_value=2):
        attributes, values = (torch.tensor([item[place] for item in batch]) for place in (1, 2))
        assert len(batch_triplets(attributes, values)) > 0
        if batch[0].attribute_id == 0:  # v, round and cowl: 4, 2 and 1 images, no place is left to repeat one
            assert Counter(item.value_id for item in batch) == {0: 3, 1: 2, 2: 1}
            assert len({item.row for item in batch}) == 6


def test_seed_and_epoch_alone_decide():
    first, second = (PKBatchSampler(many(), 5, seed=3) for _ in range(2))
    second.set_epoch(1)
    other_epoch = list(second)
    second.set_epoch(0)
    assert list(first) == list(first) == list(second) != other_epoch
    assert list(PKBatchSampler(many(), 5, seed=4)) != list(first)


def test_images_of_a_multi_label_group_carry_one_of_its_values():
    labels = multi_label()
    for batch in PKBatchSampler(labels, 30, values_per_group=2, images_per_value=2):
        values = {(item.attribute_id, item.value_id) for item in batch}
        assert len(values) == 2
        for item in batch:
            carried = [bool(labels.of(attribute)[item.row, value]) for attribute, value in values]
            assert sum(carried) == 1


def test_values_that_never_stand_apart_are_an_error(monkeypatch):
    monkeypatch.setattr(pk_batches, "VALUE_DRAWS", 3)
    labels = labels_of([(("a", "b"),), (("a", "b"),), ("b",)], {"mark": ["a", "b"]})
    with pytest.raises(ValueError, match="attribute 'mark': in 3 draws no two values"):
        list(PKBatchSampler(labels, 1, 2, 2))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"num_batches": 0}, "`num_batches` must be at least 1, got 0"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
        ({"values_per_group": 1}, "`values_per_group` must be at least 2"),
        ({"images_per_value": 1}, "`images_per_value` must be at least 2"),
        ({"attributes_per_batch": 3}, "`attributes_per_batch` is 3, and only 2 of the attributes can form"),
    ],
)
def test_settings_out_of_range_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        PKBatchSampler(single_label(), **{"num_batches": 1, **setting})


class Rows(Dataset):
    """Returns its index."""

    def __getitem__(self, item: LabelledRow) -> LabelledRow:
        return item


def test_two_processes_share_the_batches():
    sampler = PKBatchSampler(many(), 7, 2, 2)
    shards = [list(BatchSamplerShard(sampler, num_processes=2, process_index=rank)) for rank in range(2)]
    batches = list(sampler)
    assert shards == [batches[0:6:2], batches[1:6:2]]  # the seventh has no counterpart and is dropped


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_dataloader_takes_it(num_workers):
    sampler = PKBatchSampler(many(), 3, 2, 2)
    loader = DataLoader(Rows(), batch_sampler=sampler, num_workers=num_workers, collate_fn=list)
    assert list(loader) == list(sampler)
