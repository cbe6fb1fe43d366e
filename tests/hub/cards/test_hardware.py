"""The machine and the versions are described in words."""

import pytest
import torch

from hf_fashion.hub.cards import hardware
from hf_fashion.hub.cards.hardware import describe_hardware, describe_versions


@pytest.mark.parametrize(("precision", "words"), [("no", "float32"), ("bf16", "mixed, bf16")])
def test_hardware_on_a_cpu(precision, words):
    found = describe_hardware(torch.device("cpu"), 2, precision)
    assert found["device"].startswith("CPU, ") and found["processes"] == 2 and found["precision"] == words


def test_a_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    assert describe_hardware(torch.device("cuda:1"), 8, "bf16")["device"] == "NVIDIA H200"


def test_another_device_is_called_by_its_type():
    assert describe_hardware(torch.device("mps"), 1, "no")["device"] == "mps"


def test_versions(monkeypatch):
    monkeypatch.setattr(hardware, "PACKAGES", ("torch", "no-such-package"))
    versions = describe_versions()
    assert versions["torch"] and versions["Python"].startswith("3.") and versions["no-such-package"] == "not installed"
