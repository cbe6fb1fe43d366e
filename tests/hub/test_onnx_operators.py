"""FR as an ONNX file: its stable sort and its running minimum, with copies, ties and short lists."""

from pathlib import Path

import pytest
import torch
from torch import nn

from hf_fashion.hub.onnx_operators import operator_translations
from tests.hub.onnx_runs import exported, run
from tests.tiny_feature_reasoning import NUM_CANDIDATES, tiny_feature_reasoning, tiny_lists


@pytest.fixture(scope="module")
def reasoning(tmp_path_factory) -> Path:
    return exported(tiny_feature_reasoning(), tmp_path_factory.mktemp("fr")) / "model.onnx"


def lists(queries: int, candidates: int) -> dict[str, torch.Tensor]:
    """Lists with a photo that is there three times, and with one place less in each list than in the one before."""
    inputs = {name: embeds.float() for name, embeds in tiny_lists(queries, candidates).items()}
    inputs["candidate_embeds"][:, 2:4] = inputs["candidate_embeds"][:, 1:2]
    lengths = (candidates - torch.arange(queries)).clamp(min=0)
    return inputs | {"candidate_mask": torch.arange(candidates) < lengths[:, None]}


@pytest.mark.parametrize(("queries", "candidates"), [(1, NUM_CANDIDATES), (2, 4), (5, 1)])
def test_scores_of_lists_of_every_length_are_the_models(reasoning, queries, candidates):
    inputs = lists(queries, candidates)
    found = run(reasoning, inputs)["scores"]
    with torch.no_grad():
        expected = tiny_feature_reasoning().rerank(**inputs)
    assert torch.equal(found.isneginf(), ~inputs["candidate_mask"])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


class Operators(nn.Module):
    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ascending, places = values.sort(dim=1, stable=True)
        descending, orders = values.sort(dim=-1, descending=True, stable=True)
        least, where = values.cummin(dim=-1)
        return ascending, places, descending, orders, least, where


def test_ties_are_kept_in_their_order(tmp_path):
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(3, (2, 9, 40), generator=generator).double()
    program = torch.onnx.export(
        Operators().eval(),
        (values,),
        dynamic_shapes=({0: "batch", 1: "rows", 2: "length"},),
        dynamo=True,
        verbose=False,
        custom_translation_table=operator_translations(),
    )
    program.save(tmp_path / "operators.onnx")
    other = torch.randint(3, (3, 17, 50), generator=generator).double()
    (name,) = (graph_input.name for graph_input in program.model.graph.inputs)
    found = list(run(tmp_path / "operators.onnx", {name: other}).values())
    expected = Operators()(other)
    for one, two in zip(found[:5], expected[:5], strict=True):
        assert torch.equal(one, two)
    assert torch.equal(other.gather(-1, found[5]), expected[4])  # of equal values torch names the last one's place
