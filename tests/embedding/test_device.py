"""The device of a model: the one that is named, or a default that works."""

import pytest
import torch

from hf_fashion.embedding.device import device_of


def test_a_name_and_the_default():
    assert device_of("cpu") == torch.device("cpu")
    assert device_of().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(("name", "reason"), [("cuda:97", "cuda"), ("gpu", "Expected one of")])
def test_a_device_that_is_not_here_is_an_error_of_one_line(name, reason):
    with pytest.raises(ValueError, match="the device must be on this machine") as caught:
        device_of(name)
    message = str(caught.value)
    assert "such as cpu" in message and f"got {name!r}" in message and reason.lower() in message.lower()
    assert "\n" not in message
