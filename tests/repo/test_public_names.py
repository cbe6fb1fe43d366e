"""`hf_fashion.__all__` is the public interface: sorted, complete, importable and documented."""

import importlib

import pytest

import hf_fashion


def test_names_are_sorted_and_distinct():
    assert list(hf_fashion.__all__) == sorted(set(hf_fashion.__all__))


@pytest.mark.parametrize("name", hf_fashion.__all__)
def test_name_can_be_imported(name):
    value = getattr(hf_fashion, name)
    assert name in dir(hf_fashion)
    if callable(value):
        assert (value.__doc__ or "").strip(), f"hf_fashion.{name} has no docstring"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module("hf_fashion").no_such_name  # noqa: B018
