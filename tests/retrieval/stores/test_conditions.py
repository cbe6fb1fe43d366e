"""The tree of a filter."""

from hf_fashion.retrieval.stores.conditions import OPPOSITE, SIGNS, Comparison, Either, Every, joined


def test_one_condition_is_not_joined():
    one, other = Comparison("price", "<", 3.0), Comparison("price", ">", 1.0)
    assert joined([one], every=True) is one
    assert joined([one, other], every=True) == Every((one, other))
    assert joined([one, other], every=False) == Either((one, other))


def test_the_opposite_of_the_opposite_is_the_sign():
    assert [OPPOSITE[OPPOSITE[sign]] for sign in SIGNS] == list(SIGNS)
