"""Which errors are of bad input, and as which they are raised."""

import pytest
from safetensors import SafetensorError

from hf_fashion.input_errors import input_error_type
from hf_fashion.models.e2.configuration_e2 import E2Config


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text"), ValueError),
        (FileNotFoundError("no corpus"), OSError),
        (ModuleNotFoundError("no extra"), ImportError),
        (SafetensorError("damaged"), SafetensorError),
        (RuntimeError("a bug"), None),
        (KeyError("a bug"), None),
    ],
)
def test_the_kinds_of_bad_input(error, kind):
    assert input_error_type(error) is kind


@pytest.mark.parametrize("fields", [{"tokens_per_entity": "two"}, {"tokens_per_entity": 0}])
def test_a_field_of_a_configuration_is_a_wrong_value(fields):
    with pytest.raises(Exception, match="tokens_per_entity") as raised:
        E2Config(**fields)
    assert input_error_type(raised.value) is ValueError
