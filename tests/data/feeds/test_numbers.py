"""Which columns are numbers."""

import pytest

from hf_fashion.data.feeds.numbers import number_type


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "0", None], int),
        (["1", "2.50", "1e3", "-0.5"], float),
        ([" 3 ", "4"], int),
        (["00123", "4"], None),
        (["1", "+2"], None),
        (["1", "NA"], None),
        (["1,50"], None),
        (["1", ""], None),
        (["123456789012345"], int),
        (["1234567890123456"], None),
        (["4006381333931123456"], None),
        (["0.1234567890123456"], None),
        (["nan"], None),
        (["inf"], None),
        (["1_000"], None),
        (["١"], None),
        ([None, None], None),
        ([], None),
    ],
)
def test_a_column_is_numbers_if_every_cell_is(cells, kind):
    assert number_type(cells) is kind
