"""A text and a value have hashes that change with them."""

from hf_fashion.cards.hashes import short_hash


def test_the_order_of_keys_does_not_count():
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1}) != short_hash({"a": 1, "b": [3]})


def test_it_is_eight_digits():
    assert len(short_hash("a text")) == 8 and short_hash("a text") != short_hash("a text.")
