import logging

import numpy as np
import pytest

from hf_fashion.data.attributes.pairs import ImagesByValue
from tests.data.attribute_corpora import labels_of, multi_label, single_label


def test_images_of_a_pair_are_those_that_carry_it():
    for labels in (single_label(), multi_label()):
        images = ImagesByValue(labels)
        for pair, carried in enumerate(labels.carries.T):
            assert images.rows_of(pair).tolist() == carried.nonzero().flatten().tolist()


def test_anchors_have_two_images_and_a_negative(caplog):
    with caplog.at_level(logging.WARNING):
        images = ImagesByValue(single_label())
    assert [pairs.tolist() for pairs in images.anchors] == [[0, 1], [4, 5]]
    assert [pairs.tolist() for pairs in images.seen] == [[0, 1, 2], [4, 5]]
    assert images.never_anchors == {"neck": {"cowl": 1, "boat": 0}}
    assert "2 of 6 values cannot be an anchor's" in caplog.text and "neck: cowl (1), boat (0)" in caplog.text


def test_a_value_that_every_image_carries_is_no_anchors(caplog):
    images = ImagesByValue(labels_of([(("a", "b"),), (("a", "b"),), ("a",)], {"mark": ["a", "b"]}))
    assert images.never_anchors == {"mark": {"a": 3}}
    np.testing.assert_array_equal(images.anchors[0], [1])
    assert images.attributes.tolist() == [0]


def test_attributes_without_an_anchor_are_left_out():
    rows = [("a", "x"), ("b", "x"), ("c", "y"), (None, "y")]
    images = ImagesByValue(labels_of(rows, {"mark": ["a", "b", "c"], "kind": ["x", "y"]}))
    assert images.attributes.tolist() == [1]
    with pytest.raises(ValueError, match="no triplet can be formed"):
        ImagesByValue(labels_of([("a",), ("b",), (None,)], {"mark": ["a", "b"]}))
