"""Nested states as safetensors: the same values, types and tensors come back."""

import pytest
import torch
from safetensors.torch import save_file

from hf_fashion.training.run_folder.stored_state import load_nested, save_nested


def test_values_come_back_as_they_were(tmp_path):
    shared = torch.arange(6).view(2, 3)
    values = {
        "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(2, 2)}, 1: {}},
        "groups": [{"lr": 0.1, "betas": (0.9, 0.999), "fused": True, "decay": None, "params": [0, 1]}],
        "tensors": [shared, shared[:, :2], shared.half(), torch.zeros(0, 3, dtype=torch.bool)],
        "texts": ["tensor", "dict", ""],
        "numbers": (1 << 70, float("inf"), -0.1),
    }
    save_nested(values, tmp_path / "state.safetensors")
    found = load_nested(tmp_path / "state.safetensors")
    for left, right in zip(values.pop("tensors"), found.pop("tensors"), strict=True):
        assert torch.equal(left, right) and left.dtype == right.dtype
    torch.testing.assert_close(found.pop("state"), values.pop("state"), rtol=0, atol=0)
    assert found == values and isinstance(found["groups"][0]["betas"], tuple)


@pytest.mark.parametrize(
    ("value", "message"), [({1, 2}, "of type set"), ({(1, 2): 3}, r"the key \(1, 2\)"), (object(), "of type object")]
)
def test_other_values_are_refused(tmp_path, value, message):
    with pytest.raises(TypeError, match=message):
        save_nested({"a": [value]}, tmp_path / "state.safetensors")


@pytest.mark.parametrize("structure", ['["tensor", "0"]', "[1]", '["dict", [[[], 1]]]', "{", "[" * 5000])
def test_a_structure_of_another_kind_is_refused(tmp_path, structure):
    save_file({}, tmp_path / "state.safetensors", metadata={"structure": structure})
    with pytest.raises(ValueError, match=r"state.safetensors: its structure is not one"):
        load_nested(tmp_path / "state.safetensors")


def test_a_file_of_another_kind_is_named(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"model.safetensors has no 'structure'"):
        load_nested(tmp_path / "model.safetensors")
