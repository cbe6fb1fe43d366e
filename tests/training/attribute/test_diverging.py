"""Attribute diverging whole: momentum encoder, queues, checkpoints, and two processes that hold the same centres."""

import pytest
import torch
import torch.distributed as dist
from transformers.utils import ModelOutput

from hf_fashion.training.attribute.diverging import AttributeDiverging
from hf_fashion.training.run_folder.stored_state import load_nested, save_nested
from tests.warm_processes import end_rank, run_ranks


NUM_VALUES = [2, 3]
BRANCHES = {"global_embeds": 4, "local_embeds": 6}
SETTINGS = {"capacity": 5, "min_filled": 2, "refresh_every": 2}
PUSHES = 6


class Towers(torch.nn.Module):
    """Two branches and a batch norm, whose statistics differ between processes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm = torch.nn.BatchNorm1d(3)
        self.heads = torch.nn.ModuleList(torch.nn.Linear(3, dim) for dim in BRANCHES.values())
        self.table = torch.nn.Embedding(len(NUM_VALUES), 3)

    def forward(self, attribute_ids, pixel_values):
        rows = self.norm(pixel_values)[:, None] + self.table(attribute_ids.view(len(pixel_values), -1))  # (B, K, 3)
        return ModelOutput(zip(BRANCHES, (head(rows) for head in self.heads), strict=True))


def batch(step: int, rows: slice = slice(None)) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    attributes = torch.randint(2, (8,), generator=generator)
    values = (torch.rand(8, generator=generator) * torch.tensor(NUM_VALUES)[attributes]).long()
    items = {"attribute_ids": attributes, "value_ids": values, "pixel_values": torch.randn(8, 3, generator=generator)}
    return {name: tensor[rows] for name, tensor in items.items()}


def make(model, **settings) -> AttributeDiverging:
    return AttributeDiverging(model, NUM_VALUES, BRANCHES, momentum=0.9, **(SETTINGS | settings))


def step_of(model, diverging: AttributeDiverging, step: int, rows: slice = slice(None)) -> None:
    """An update of the model that is the same on every process, but for the statistics of the batch norm."""
    items = batch(step, rows)
    model(items["attribute_ids"], items["pixel_values"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    diverging.update(model)
    diverging.push(**items)


def snapshot(diverging: AttributeDiverging) -> list[torch.Tensor]:
    centres = [tensor for pair in diverging.centres.values() for tensor in pair]
    return [*centres, *diverging.encoder.state_dict().values()]


def test_centres_are_means_of_the_momentum_encoders_features():
    model = Towers()
    diverging = make(model, capacity=1000, min_filled=1, refresh_every=1, dtype=torch.float64)
    features, labels = {name: [] for name in BRANCHES}, []
    for step in range(3):
        step_of(model, diverging, step)
        items = batch(step)
        labels += zip(items["attribute_ids"].tolist(), items["value_ids"].tolist(), strict=True)
        for name, embeds in diverging.encoder(items["attribute_ids"], items["pixel_values"]).items():
            features[name] += list(embeds[:, 0])
    for name, (centres, present) in diverging.centres.items():
        for label in set(labels):
            rows = [row for row, other in zip(features[name], labels, strict=True) if other == label]
            assert present[label]
            torch.testing.assert_close(centres[label].float(), torch.stack(rows).mean(0))


def test_several_attributes_an_image():
    one, several = (make(Towers(), refresh_every=1, min_filled=1) for _ in range(2))
    pixels = torch.randn(2, 3)
    several.push(torch.tensor([[0, 1], [0, 1]]), torch.tensor([[1, 2], [-1, 0]]), pixel_values=pixels)
    one.push(torch.tensor([0, 1, 1]), torch.tensor([1, 2, 0]), pixel_values=pixels[[0, 0, 1]])
    for found, expected in zip(snapshot(several), snapshot(one), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_branch_that_is_not_named_has_no_centres():
    diverging = AttributeDiverging(Towers(), NUM_VALUES, {"local_embeds": 6}, **SETTINGS)
    diverging.push(**batch(0))
    assert list(diverging.centres) == ["local_embeds"]


def test_a_killed_run_goes_on_exactly_from_a_checkpoint(tmp_path):
    model = Towers()
    diverging = make(model)
    for step in range(3):
        step_of(model, diverging, step)
    save_nested([model.state_dict(), diverging.state_dict()], tmp_path / "state.safetensors")
    for step in range(3, PUSHES):
        step_of(model, diverging, step)
    expected = [tensor.clone() for tensor in snapshot(diverging)]
    for part, state in zip((model, diverging), load_nested(tmp_path / "state.safetensors"), strict=True):
        part.load_state_dict(state)
    for step in range(3, PUSHES):
        step_of(model, diverging, step)
    for found, tensor in zip(snapshot(diverging), expected, strict=True):
        assert torch.equal(found, tensor)


def test_a_state_of_other_branches_is_refused():
    state = AttributeDiverging(Towers(), NUM_VALUES, {"local_embeds": 6}, **SETTINGS).state_dict()
    with pytest.raises(ValueError, match=r"\['global_embeds', 'local_embeds'\], got \['local_embeds'\]"):
        make(Towers()).load_state_dict(state)


def run_rank(rank: int, folder: str):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model = Towers()
    diverging = make(model)
    for step in range(PUSHES):
        step_of(model, diverging, step, slice(4 * rank, 4 * rank + 4))
    torch.save(snapshot(diverging), f"{folder}/rank{rank}.pt")
    end_rank()


def test_two_processes_hold_the_same_centres_as_one(tmp_path):
    run_ranks(run_rank, str(tmp_path))
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
    for first, second in zip(*ranks, strict=True):
        assert torch.equal(first, second)

    # One process with whole batches, which looks with the statistics that the copies of the two hold: rank 0's.
    model = Towers()
    diverging = make(model)
    for step in range(PUSHES):
        items = batch(step)
        model(items["attribute_ids"][:4], items["pixel_values"][:4])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1
        diverging.update(model)
        diverging.push(**items)
    assert all(present.any() for _, present in diverging.centres.values())
    for found, expected in zip(ranks[0], snapshot(diverging), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
