"""Pushes that are killed or cut leave a whole repository and whole folders; `benchmarks/` has fifty of them."""

from benchmarks.push_interruptions import KINDS, interrupt


def test_interrupted_pushes_leave_nothing_half():
    rows = interrupt(len(KINDS), seed=1)
    assert [(row["test"], row["interrupted"], row["faults"]) for row in rows] == [(kind, 1, []) for kind in KINDS]
