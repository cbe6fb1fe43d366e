"""What a column would lose of a value is found, whatever Arrow takes."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hf_fashion.retrieval.column_losses import find_loss, is_list


DAY = datetime.date(2026, 1, 31)
NOON = datetime.datetime(2026, 1, 31, 12)
TEXT, WHOLE = pa.string(), pa.int64()
STRUCT = pa.struct([("a", WHOLE), ("b", TEXT)])


@pytest.mark.parametrize(
    ("kind", "value", "loss"),
    [
        (pa.list_(TEXT), "red", r"no list and would be cut into its parts. Write a list, such as ['red']"),
        (pa.list_(pa.uint8()), b"ab", "no list"),
        (pa.list_(pa.list_(TEXT)), [["a"], "b"], "no list"),
        (pa.date32(), NOON, "time of day"),
        (pa.date64(), pd.Timestamp(NOON), "time of day"),
        (pa.list_(pa.date32()), [DAY, NOON], "time of day"),
        (
            pa.timestamp("s"),
            NOON.replace(microsecond=500_000),
            "a part of a second would be lost. Round it to seconds",
        ),
        (pa.timestamp("ms"), NOON.replace(microsecond=1), "a part of a millisecond"),
        (pa.timestamp("us"), pd.Timestamp(NOON) + pd.Timedelta(5, "ns"), "a part of a microsecond"),
        (pa.time32("s"), datetime.time(1, 2, 3, 5), "a part of a second"),
        (pa.duration("s"), datetime.timedelta(seconds=1.5), "a part of a second"),
        (WHOLE, 1.5, "fraction"),
        (WHOLE, np.array(1.5), "fraction"),
        (pa.dictionary(pa.int32(), WHOLE), 1.5, "fraction"),
        (pa.timestamp("us"), 1.7, "fraction"),
        (STRUCT, {"a": 1, "c": 2}, "whose 'c' would be lost: the column has ['a', 'b']"),
        (STRUCT, {"a": 1.7}, "fraction"),
        (STRUCT, [("a", 1)], "no dict"),
        (pa.list_(STRUCT), [{"a": 1}, {"a": 1.5}], "fraction"),
        (pa.map_(TEXT, WHOLE), [("a", 1), ("b", 1.7)], "fraction"),
        (pa.map_(TEXT, WHOLE), {"a": 1.7}, "fraction"),
        (TEXT, b"abc", "bytes"),
        (pa.large_string(), b"abc", "bytes"),
    ],
)
def test_what_would_be_lost_is_said(kind, value, loss):
    assert loss in find_loss(value, kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.list_(TEXT), ["red", None]),
        (pa.list_(TEXT), ("red",)),
        (pa.list_(TEXT), {"red"}),
        (pa.list_(TEXT), np.array(["red"])),
        (pa.list_(TEXT), []),
        (pa.date32(), DAY),
        (pa.date32(), datetime.datetime(2026, 1, 31)),
        (pa.timestamp("s"), NOON),
        (pa.timestamp("us"), pd.Timestamp(NOON)),
        (pa.timestamp("ns"), pd.Timestamp(NOON) + pd.Timedelta(5, "ns")),
        (WHOLE, 2.0),
        (pa.float32(), 19.99),
        (STRUCT, {"a": 1}),
        (pa.map_(TEXT, WHOLE), [("a", 1)]),
        (pa.binary(), b"abc"),
        (TEXT, "abc"),
    ],
)
def test_a_value_that_is_kept_loses_nothing(kind, value):
    assert find_loss(value, kind) == ""


@pytest.mark.parametrize("kind", [WHOLE, TEXT, pa.date32(), pa.timestamp("us"), pa.list_(WHOLE), STRUCT])
def test_missing_values_lose_nothing(kind):
    missing = [None, float("nan"), pd.NaT, pd.NA]
    assert [find_loss(value, kind) for value in missing] == [""] * 4
    assert pa.array(missing[:2], kind, from_pandas=True).null_count == 2


def test_lists_are_known():
    lists = [pa.list_(TEXT), pa.large_list(TEXT), pa.list_(TEXT, 2)]
    assert all(map(is_list, lists)) and not is_list(TEXT)
