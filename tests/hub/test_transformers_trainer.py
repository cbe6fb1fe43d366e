"""transformers' Trainer trains E2 as its CLIP example does: with and without tags, in one process and in two."""

import socket

import pytest
import torch
from safetensors.torch import load_file

from tests.hub.train_with_trainer import saved_file, train, train_rank
from tests.tiny_e2 import tiny_model
from tests.warm_processes import run_ranks


def moved(trained: dict[str, torch.Tensor]) -> set[str]:
    """Names of the parameters that are not as they were."""
    return {name for name, before in tiny_model().named_parameters() if not torch.equal(before, trained[name])}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.mark.parametrize("tags", [True, False])
def test_one_process_trains(tags, tmp_path):
    train(tmp_path, tags, checkpointing=False)
    trained = load_file(saved_file(tmp_path, tags))
    assert trained["training_loss"].isfinite()
    heads = {name for name in moved(trained) if name.startswith("region_head")}
    assert len(heads) == (6 if tags else 0)  # two entities: a projection, a norm with weight and bias
    assert {"logit_scale", "visual_projection.weight", "text_projection.weight"} <= moved(trained)


def test_two_processes_train_one_model(tmp_path):
    run_ranks(train_rank, str(tmp_path), free_port())
    for tags in (False, True):
        first, second = (load_file(saved_file(tmp_path, tags, rank)) for rank in range(2))
        assert first["training_loss"].isfinite()
        for name in dict(tiny_model().named_parameters()):
            torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)
        assert {"logit_scale", "visual_projection.weight", "text_projection.weight"} <= moved(first)
