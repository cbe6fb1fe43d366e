"""The device of a model: the one that is named, or a default that works; and the float types that it emulates."""

import pytest
import torch

from hf_fashion.embedding.device import device_of, is_emulated


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


@pytest.mark.parametrize("has_instructions", [True, False])
def test_a_cpu_without_instructions_for_half_precision_emulates_it(monkeypatch, has_instructions):
    for half in ("bf16", "fp16"):
        monkeypatch.setattr(torch.ops.mkldnn, f"_is_mkldnn_{half}_supported", lambda: has_instructions)
    assert is_emulated(torch.bfloat16, "cpu") is is_emulated(torch.float16, "cpu") is not has_instructions
    assert not is_emulated(torch.float32, "cpu") and not is_emulated(torch.bfloat16, "cuda")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_pytorch_knows_which_instructions_this_cpu_has(dtype):
    assert is_emulated(dtype, "cpu") in (True, False)
