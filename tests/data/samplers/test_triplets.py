"""Triplets as the papers draw them: checked one by one, and by how often each kind comes."""

from collections import Counter
from dataclasses import fields

import pytest
import torch

from hf_fashion.data.samplers import triplets as module
from hf_fashion.data.samplers.triplets import Triplets, TripletSampler
from tests.data.attribute_corpora import labels_of, multi_label, single_label


def columns(drawn: Triplets) -> list[torch.Tensor]:
    return [getattr(drawn, field.name) for field in fields(drawn)]


def require_right(drawn: Triplets, labels) -> None:
    for anchor, positive, negative, attribute, value, other in zip(
        *(column.tolist() for column in columns(drawn)), strict=True
    ):
        carried = labels.of(attribute)
        assert carried[anchor, value] and carried[positive, value] and anchor != positive
        assert carried[negative, other] and not carried[negative, value] and value != other


@pytest.mark.parametrize("labels", [single_label(), multi_label()], ids=["single", "multi"])
def test_every_triplet_is_one(labels):
    drawn = TripletSampler(labels, num_triplets=500).draw(3)
    assert len(drawn) == 500 and all(len(column) == 500 for column in columns(drawn))
    assert all(column.dtype == torch.int64 for column in columns(drawn))
    require_right(drawn, labels)


def test_each_choice_is_uniform():
    """Attribute, then value, then the other value, then images; cowl, of one image, is only a negative."""
    number = 20_000
    drawn = TripletSampler(single_label(), num_triplets=number).draw(0)
    attributes, values, others = (c.tolist() for c in (drawn.attribute_ids, drawn.value_ids, drawn.negative_value_ids))
    kinds = Counter(zip(attributes, values, others, strict=True))
    shares = dict.fromkeys([(0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 2)], 1 / 8) | {(1, 0, 1): 1 / 4, (1, 1, 0): 1 / 4}
    assert {kind: count / number for kind, count in kinds.items()} == pytest.approx(shares, abs=0.015)
    of_v = (drawn.attribute_ids == 0) & (drawn.value_ids == 0)
    pairs = Counter(zip(drawn.anchors[of_v].tolist(), drawn.positives[of_v].tolist(), strict=True))
    assert len(pairs) == 12  # ordered pairs of the four images
    assert max(pairs.values()) < 1.3 * min(pairs.values())


def test_seed_and_epoch_alone_decide():
    labels = single_label()
    first = columns(TripletSampler(labels, 50, seed=1).draw(2))
    sampler = TripletSampler(labels, 50, seed=1)
    sampler.draw(0)
    torch.rand(3)
    assert all(map(torch.equal, first, columns(sampler.draw(2))))
    for other in (sampler.draw(1), TripletSampler(labels, 50, seed=2).draw(2)):
        assert not torch.equal(first[0], other.anchors)


def test_a_negative_carries_never_the_anchors_value(monkeypatch):
    """Nearly all images with `b` carry `a` too: draws fail, and the rest is taken from the images without `a`."""
    rows = [(("a", "b"),)] * 30 + [("b",), (None,)]
    labels = labels_of(rows, {"mark": ["a", "b"]})
    monkeypatch.setattr(module, "NEGATIVE_DRAWS", 2)
    drawn = TripletSampler(labels, 200).draw(0)
    require_right(drawn, labels)
    assert set(drawn.negatives.tolist()) == {30} and set(drawn.value_ids.tolist()) == {0}


def test_values_that_are_no_anchors_are_told():
    assert TripletSampler(single_label(), 1).never_anchors == {"neck": {"cowl": 1, "boat": 0}}
    with pytest.raises(ValueError, match="`num_triplets` must be at least 1, got 0"):
        TripletSampler(single_label(), 0)
