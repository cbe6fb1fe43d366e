"""Options of a call and of a query."""

import numpy as np
import pytest

from hf_fashion.pipelines.options_fashion_retrieval import check_names, check_types, given, split_options


def test_what_is_not_given_is_left_out():
    assert given({"top_k": 3, "filter": None, "threshold": 0.0}) == {"top_k": 3, "threshold": 0.0}


def test_a_query_is_split_from_its_options():
    query, options = split_options({"text": "a dress", "top_k": 3, "filter": None})
    assert query == {"text": "a dress"} and options == {"top_k": 3, "filter": None}
    assert split_options("top_k") == ("top_k", {})


def test_a_misspelt_name_is_told():
    check_names(["top_k", "filter", "threshold", "group_by", "num_candidates"])
    with pytest.raises(TypeError, match=r"no option `fliter` \(did you mean 'filter'\?\)"):
        check_names(["top_k", "fliter"])


def test_numbers_of_numpy_are_numbers():
    check_types({"top_k": np.int64(3), "threshold": np.float32(0.5), "filter": {}, "group_by": "brand"})


@pytest.mark.parametrize(("name", "value"), [("top_k", "3"), ("top_k", True), ("threshold", float("nan"))])
def test_another_type_is_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a .*number, got {value!r}"):
        check_types({name: value})
