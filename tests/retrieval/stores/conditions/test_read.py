"""A filter is read once; its errors say what was wrong, what is allowed and what came."""

import subprocess
import sys

import pytest

from hf_fashion.retrieval.stores.conditions.read import read_condition
from hf_fashion.retrieval.stores.conditions.tree import And, Comparison
from tests.conftest import REPOSITORY
from tests.retrieval.stores.filtered_rows import TYPES


NEW = Comparison("new", "=", True)


def test_text_and_mappings_are_filters():
    assert read_condition("new", TYPES) == NEW
    assert read_condition({"new": True}, TYPES) == And((NEW,))
    assert read_condition({}, TYPES) is None


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        (
            "colour = 'red'",
            r"^`filter` cannot be applied to this gallery: there is no column `colour`.* A filter consists of "
            r"comparisons of a column with a value .*\. Got \"colour = 'red'\"$",
        ),
        (
            {"colour": "red"},
            r"^`filter` cannot be applied to this gallery: there is no column `colour`.* A mapping has columns as keys"
            r".*\. Got {'colour': 'red'}$",
        ),
        (5, "^`filter` must be a condition in SQL or a mapping, got int$"),
        (["new"], "got list"),
        (b"new", "got bytes"),
    ],
)
def test_the_error_tells_all(filter, message):
    with pytest.raises(ValueError, match=message) as error:
        read_condition(filter, TYPES)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("filter", ["brand = '" + "x" * 100_000, {"brand": ["x"] * 100_000}])
def test_a_long_filter_is_not_repeated(filter):
    with pytest.raises(ValueError, match=r"\.\.\.$") as error:
        read_condition(filter, TYPES)
    assert len(str(error.value)) < 1000


WITHOUT = """
import sys
sys.modules["sqlglot"] = None
import pyarrow
from hf_fashion.retrieval.stores.conditions.read import read_condition
types = {"id": pyarrow.string()}
print(read_condition({"id": "a"}, types))
read_condition("id = 'a'", types)
"""


def test_without_sqlglot_the_extra_is_named():
    run = subprocess.run([sys.executable, "-c", WITHOUT], cwd=REPOSITORY, capture_output=True, text=True)
    assert run.stdout == "And(parts=(Comparison(column='id', sign='=', value='a'),))\n"
    assert "ImportError: a filter in SQL is read by sqlglot: pip install 'hf-fashion[gallery]'" in run.stderr
