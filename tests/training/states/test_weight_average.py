"""The moving average of weights, against a plain sum over all updates."""

import pytest
import torch
from torch import nn

from hf_fashion.training.states.weight_average import WeightAverage


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def walk(model: nn.Module, average: WeightAverage, updates: int) -> list[dict[str, torch.Tensor]]:
    """Change the model at random, and return its weights before and after each update."""
    past = [{name: tensor.clone() for name, tensor in model.state_dict().items()}]
    for _ in range(updates):
        model(torch.randn(8, 3))  # moves the statistics of the batch norm
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        average.update(model)
        past.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    return past


def naive(past: list[torch.Tensor], decay: float) -> torch.Tensor:
    """Weight each past value by all that came after it."""
    decays = [min(decay, (1 + update) / (10 + update)) for update in range(1, len(past))]
    total = torch.zeros_like(past[0], dtype=torch.float64)
    for number, value in enumerate(past):
        share = 1.0 if number == 0 else 1 - decays[number - 1]
        for later in decays[number:]:
            share *= later
        total += share * value.double()
    return total.float()


@pytest.mark.parametrize("decay", [0.999, 0.3])
def test_it_is_the_weighted_sum_of_all_weights(decay):
    model = small()
    average = WeightAverage(model, decay)
    past = walk(model, average, 12)
    with average.applied(model):
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                torch.testing.assert_close(tensor, naive([one[name] for one in past], decay), msg=name)
        assert model[1].num_batches_tracked == 12


def test_the_model_gets_its_own_weights_back_bit_by_bit():
    model = small()
    average = WeightAverage(model, 0.9)
    walk(model, average, 3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parameters = list(model.parameters())
    with pytest.raises(KeyboardInterrupt), average.applied(model):
        assert not torch.equal(model[0].weight, before["0.weight"])
        raise KeyboardInterrupt
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True)), "an optimiser holds them"


def test_frozen_and_tied_weights_stay():
    model = small()
    model.tied = model[0]
    average, before = WeightAverage(model, 0.9), model[0].weight.clone()
    for _ in range(5):
        average.update(model)
    with average.applied(model):
        assert torch.equal(model[0].weight, before) and model.tied.weight is model[0].weight
    assert torch.equal(model[0].weight, before)


def test_it_goes_on_from_its_state():
    model = small()
    average = WeightAverage(model, 0.9)
    walk(model, average, 3)
    copied = WeightAverage(small(), 0.9)
    copied.load_state_dict(
        {"updates": average.updates, "averages": {name: t.clone() for name, t in average.averages.items()}}
    )
    walk(model, average, 1)
    copied.update(model)
    assert copied.updates == 4
    assert all(torch.equal(copied.averages[name], tensor) for name, tensor in average.averages.items())
    with pytest.raises(ValueError, match="of another model"):
        copied.load_state_dict(WeightAverage(nn.Linear(1, 1), 0.9).state_dict())
