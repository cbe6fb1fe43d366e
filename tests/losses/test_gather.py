"""Two processes with half a batch each have the loss and the gradients of one process with the whole batch."""

import os
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel

from hf_fashion.losses.e2 import e2_losses
from hf_fashion.losses.gather import first_joined_row, gather_sequences, gather_with_gradient, joined_mean
from tests.warm_processes import end_rank, run_ranks


TAG_IDS = torch.tensor([[0, 3], [0, 4], [1, -1], [0, 3]])


class Towers(torch.nn.Module):
    """A small model with everything that the losses of E2 take: embeddings of four kinds and a temperature."""

    def __init__(self):
        super().__init__()
        self.heads = torch.nn.ModuleList(torch.nn.Linear(6, 8) for _ in range(2))
        self.region_heads = torch.nn.ModuleList(torch.nn.Linear(6, 16) for _ in range(2))
        self.logit_scale = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, images, texts):
        pairs = zip(self.heads, (images, texts), strict=True)
        embeds = [normalize(head(rows), dim=-1) for head, rows in pairs]
        pairs = zip(self.region_heads, (images, texts), strict=True)
        return *embeds, *(normalize(head(rows).unflatten(-1, (2, 8)), dim=-1) for head, rows in pairs)


def loss_of(model, core, images, texts, tag_ids):
    image_embeds, text_embeds, region_embeds, tag_embeds = model(images, texts)
    losses = e2_losses(image_embeds, text_embeds, core.logit_scale.exp(), region_embeds, tag_embeds, tag_ids)
    return 0.5 * losses["contrastive"] + 0.5 * losses["region"]


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(4, 6, generator=generator), torch.randn(4, 6, generator=generator), TAG_IDS


def make_towers():
    torch.manual_seed(0)
    return Towers()


def run_rank(rank: int, folder: str):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": (Path(folder) / "port").read_text()}
    dist.init_process_group("gloo", rank=rank, world_size=2)
    core = make_towers()
    model = DistributedDataParallel(core)
    half = slice(2 * rank, 2 * rank + 2)
    loss = loss_of(model, core, *(rows[half] for rows in batch()))
    loss.backward()
    assert first_joined_row(2) == half.start
    check_sequences(rank)
    check_mean(rank)
    gradients = [parameter.grad for parameter in core.parameters()]
    torch.save([loss.detach(), *gradients], Path(folder) / f"rank{rank}.pt")
    end_rank()


def check_sequences(rank: int) -> None:
    """Rank 0 has sequences of 2 and rank 1 of 3: each has the gradient that it has in the joined batch."""
    sequences = torch.full((1, 2 + rank, 4), 1.0 + rank, requires_grad=True)
    joined = gather_sequences(sequences)
    assert joined[..., 0].tolist() == [[1, 1, 0], [2, 2, 2]]
    (joined * torch.arange(6.0).view(2, 3, 1)).sum().backward()
    assert sequences.grad[0, :, 0].tolist() == ([0, 2] if rank == 0 else [6, 8, 10])  # of both ranks' losses


def check_mean(rank: int) -> None:
    """Rank 0 has one element and rank 1 has three: the mean is over four, and DDP halves the sum of the gradients."""
    elements = torch.arange(4.0)[[0]] if rank == 0 else torch.arange(4.0)[1:]
    mean = elements.mean().requires_grad_()
    joined = joined_mean(mean, torch.tensor(len(elements)))
    assert joined == torch.arange(4.0).mean()
    joined.backward()
    assert mean.grad / 2 == len(elements) / 4


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_two_processes_equal_one(tmp_path):
    (tmp_path / "port").write_text(str(free_port()))
    run_ranks(run_rank, str(tmp_path))
    core = make_towers()
    loss = loss_of(core, core, *batch())
    loss.backward()
    expected = [loss.detach(), *(parameter.grad for parameter in core.parameters())]
    for rank in range(2):
        found = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)
        for value, reference in zip(found, expected, strict=True):
            torch.testing.assert_close(value, reference)


def test_one_process_returns_the_tensor_itself():
    tensor = torch.randn(2, 3)
    assert gather_with_gradient(tensor) is tensor and gather_sequences(tensor) is tensor
    assert joined_mean(tensor, torch.tensor(6)) is tensor


def test_one_process_begins_the_joined_batch():
    assert first_joined_row(7) == 0
