import pytest

from hf_fashion.cli import convert as command
from hf_fashion.data.column_map import shipped_names
from hf_fashion.data.converters.formats import FORMATS, WRITERS, require_format


def test_every_format_has_a_column_map_and_is_in_the_help():
    assert {*FORMATS, *WRITERS} <= set(shipped_names())
    assert all(name in command.__doc__ for name in (*FORMATS, *WRITERS))


def test_a_mistyped_format_is_told():
    with pytest.raises(ValueError, match=r"no format 'shopfy' \(did you mean 'shopify'\?\); there are deep"):
        require_format("shopfy")
    require_format("darn")
