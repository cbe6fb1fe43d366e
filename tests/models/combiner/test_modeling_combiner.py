"""The combiner: it changes nothing before it has learned, and learns in every space."""

import pytest
import torch
from accelerate import cpu_offload

from hf_fashion.models.combiner.modeling_combiner import CombinerModel
from tests.tiny_combiner import DIM, tiny_combiner, tiny_combiner_config, tiny_queries


def by_hand(model: CombinerModel, photo: torch.Tensor, words: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """One query (S, d), space by space."""
    moved = []
    for space, (its, own) in enumerate(zip(photo, start, strict=True)):
        parts = [model.photo_proj(its), model.words_proj(words), model.start_proj(own)]
        joined = torch.cat([*(part.clamp(min=0) for part in parts), model.space_embeds.weight[space]])
        hidden = model.joined(joined).clamp(min=0)
        of_start, of_photo, of_words = model.factors(hidden)
        moved.append((1 + of_start) * own + of_photo * its + of_words * words + model.residual(hidden))
    total = sum(one.norm() for one in moved)
    return torch.stack([one / total for one in moved])


def test_it_equals_a_loop_over_spaces():
    model, queries = tiny_combiner(), tiny_queries()
    with torch.no_grad():
        moved = model(**queries).query_embeds
        for row, embeds in enumerate(moved):
            torch.testing.assert_close(embeds, by_hand(model, *(its[row] for its in queries.values())))
    torch.testing.assert_close(moved.norm(dim=-1).sum(1), torch.ones(3))


def test_a_new_one_changes_no_query_and_learns_in_every_space():
    model, queries = CombinerModel(tiny_combiner_config(dropout=0.0)), tiny_queries()
    moved = model(**queries).query_embeds
    torch.testing.assert_close(moved, queries["start_embeds"])
    moved.sum(dim=(0, 2))[0].backward()  # the space that the start does not search
    assert model.residual.bias.grad.abs().sum() > 0 and all(
        parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters()
    )


def test_dropout_is_of_training_only():
    model, queries = tiny_combiner(), tiny_queries()
    assert torch.equal(model(**queries).query_embeds, model(**queries).query_embeds)
    model.train()
    assert not torch.equal(model(**queries).query_embeds, model(**queries).query_embeds)


def test_shapes_that_do_not_fit_are_named():
    model, queries = tiny_combiner(), tiny_queries()
    with pytest.raises(ValueError, match=r"with the 3 spaces .*'season'\] and d = 12; got \(3, 2, 12\)"):
        model(**queries | {"photo_embeds": queries["photo_embeds"][:, :2]})
    with pytest.raises(ValueError, match=r"got \(3, 3, 12\), \(3, 3, 12\) and \(3, 11\)"):
        model(**queries | {"words_embeds": torch.ones(3, DIM - 1)})


def test_offloaded_weights_are_fetched_by_calling_their_layers():
    model, queries = tiny_combiner(), tiny_queries()
    expected = model(**queries).query_embeds
    torch.testing.assert_close(cpu_offload(model, execution_device="cpu")(**queries).query_embeds, expected)
