"""The momentum encoder (equation 10): parameters and buffers, no gradient, always in eval mode."""

import pytest
import torch
from accelerate import Accelerator

from hf_fashion.training.attribute.momentum import MomentumEncoder


class Tower(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, rows):
        return self.dropout(self.norm(self.head(rows)))


def changed(model: Tower) -> dict[str, torch.Tensor]:
    """Moves every parameter and buffer; the values before."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor += 3
    return before


@pytest.mark.parametrize("momentum", [0.995, 0.5, 0.0])
def test_equation_10(momentum):
    model = Tower()
    encoder = MomentumEncoder(model, momentum)
    expected = {name: tensor.double() for name, tensor in model.state_dict().items()}
    for _ in range(3):
        changed(model)
        encoder.update(model)
        for name, tensor in model.state_dict().items():
            expected[name] = momentum * expected[name] + (1 - momentum) * tensor.double()
    for name, tensor in encoder.model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert tensor == 9
        else:
            torch.testing.assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-6)


def test_the_default_is_the_papers():
    assert MomentumEncoder(Tower()).momentum == 0.995


def test_it_is_a_copy_that_the_model_does_not_move():
    model = Tower()
    encoder = MomentumEncoder(model)
    before = changed(model)
    for name, tensor in encoder.model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_no_gradient_and_no_training_mode():
    encoder = MomentumEncoder(Tower())
    encoder.train()
    rows = torch.randn(5, 3, requires_grad=True)
    outputs = encoder(rows)
    assert not outputs.requires_grad and not any(parameter.requires_grad for parameter in encoder.parameters())
    assert torch.equal(outputs, encoder(rows))  # no dropout
    assert encoder.model.norm.num_batches_tracked == 0


@pytest.fixture
def half_precision(fresh_accelerate):
    """An accelerator of a precision that other tests, which share its state, do not ask for."""
    accelerator = Accelerator(cpu=True, mixed_precision="bf16")
    yield accelerator
    accelerator.free_memory()


def test_a_copy_of_a_prepared_model_has_its_precision_and_its_own_weights(half_precision):
    """Accelerate binds to a prepared model a `forward` of its own, which must not lead the copy to the original."""
    original = Tower()
    full = MomentumEncoder(original)
    model = half_precision.unwrap_model(half_precision.prepare(original))
    encoder, rows = MomentumEncoder(model), torch.randn(2, 3)
    before = encoder(rows)
    changed(model)
    assert torch.equal(encoder(rows), before)
    assert before.dtype == torch.float32 and not torch.equal(before, full(rows))
    torch.testing.assert_close(before, full(rows), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("momentum", [1.0, -0.1])
def test_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=rf"`momentum` must be in \[0, 1\), got {momentum}"):
        MomentumEncoder(Tower(), momentum)
