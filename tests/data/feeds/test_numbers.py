"""Which columns are numbers."""

import pytest

from hf_fashion.data.feeds.numbers import has_decimal_commas, marked_numbers, number_type, odd_cells


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "0", None], int),
        (["1", "2.50", "1e-3", "-0.5"], float),
        (["12E4", "13E2"], None),
        (["1.0E7", "2.5E7"], float),
        (["1.5E400"], None),
        (["49.90", "49.9", "19.95"], float),
        (["49", "49.00", "49"], float),
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
        (["1.5", "NaN", None], float),
        (["inf"], None),
        (["1_000"], None),
        (["١"], None),
        ([None, None], None),
        ([], None),
    ],
)
def test_a_column_is_numbers_if_every_cell_is(cells, kind):
    assert number_type(cells) is kind


@pytest.mark.parametrize(
    ("cells", "places"),
    [
        (["10"] * 19 + ["12,50"], [19]),
        (["10", None] * 10 + ["on request"], [20]),
        (["10"] * 8 + ["x", "y"], []),
        (["10"] * 19 + ["007"], []),
        (["10"] * 19 + ["1234567890123456"], []),
        (["10"] * 20, []),
        ([None], []),
    ],
)
def test_few_cells_that_are_no_numbers_are_odd(cells, places):
    assert odd_cells(cells) == places


def test_decimal_commas_are_told_from_text():
    assert has_decimal_commas(["1,50", "2", "3.5", None])
    assert (
        not has_decimal_commas(["1,50", "1,500,000"])
        and not has_decimal_commas(["1.5"])
        and not has_decimal_commas([])
    )


@pytest.mark.parametrize(
    ("cells", "places"),
    [
        (["€49.90", "€5"], [0, 1]),
        (["49,90 €", None, "1.299,00 €"], [0, 2]),
        (["EUR 49", "12.50"], [0]),
        (["1,299.00", "49.90"], [0]),
        (["1 299", "1\u00a0299,50", "1'299.00"], [0, 1, 2]),
        (["1,299"] * 9 + ["on request"], list(range(9))),
        (["1,299"] * 8 + ["on request", "sold"], []),
        (["-€5", "¥5", "-7"], [0, 1]),
        (["203.456.78", "203.456.79"], []),
        (["EU 38", "EU 39"], []),
        (["001,234"], []),
        (["49.90", "12"], []),
        (["€", "EUR"], []),
        ([None], []),
    ],
)
def test_numbers_with_signs_are_known(cells, places):
    assert marked_numbers(cells) == places
