"""What an attribute loss reads: embeddings by branch, cluster centres, triplets with views."""

import pytest
import torch

from hf_fashion.losses.attribute_items import AttributeBatch, AttributeItems


IDS = torch.tensor([0, 0, 0])
TRIPLETS = torch.tensor([[0, 1, 2]])


def make_items(**fields: torch.Tensor) -> AttributeItems:
    return AttributeItems(**({"global_embeds": torch.eye(3), "attribute_ids": IDS, "value_ids": IDS + 1} | fields))


def test_embeddings_come_in_the_order_that_is_asked_for():
    batch = AttributeBatch(make_items(local_embeds=torch.ones(3, 3)), TRIPLETS)
    local, whole = batch.embeds("local_embeds", "global_embeds")
    assert torch.equal(local, torch.ones(3, 3)) and torch.equal(whole, torch.eye(3))
    assert all(map(torch.equal, batch.labels, (IDS, IDS + 1)))


def test_a_missing_branch_is_named():
    with pytest.raises(ValueError, match="`background_embeds`, which the model lacks: remove that loss"):
        AttributeBatch(make_items(), TRIPLETS).embeds("global_embeds", "background_embeds")


def test_centres_are_those_of_the_branch():
    pair = (torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))
    batch = AttributeBatch(make_items(), TRIPLETS, {"global_embeds": pair})
    assert batch.centres_of("global_embeds") is pair
    with pytest.raises(ValueError, match=r"centre loss of local_embeds; `centres` has only \['global_embeds'\]"):
        batch.centres_of("local_embeds")
    with pytest.raises(ValueError, match=r"`centres` has only \[\]"):
        AttributeBatch(make_items(), TRIPLETS).centres_of("global_embeds")


def test_without_views_the_triplets_are_those_of_the_items():
    embeds, triplets = AttributeBatch(make_items(), TRIPLETS).triplets_with_views()
    assert torch.equal(embeds, torch.eye(3)) and triplets is TRIPLETS


def test_views_follow_the_items_and_add_their_triplets():
    items = make_items(view_embeds=torch.full((2, 3), 5.0), view_items=torch.tensor([0, 1]))
    embeds, triplets = AttributeBatch(items, TRIPLETS).triplets_with_views()
    assert embeds.shape == (5, 3) and (embeds[3:] == 5).all()
    assert triplets.tolist() == [[0, 1, 2], [3, 1, 2], [0, 3, 2]], "item 1 is no anchor, so its view adds none"


def test_one_process_gathers_its_own_items():
    items = make_items(view_embeds=torch.ones(1, 3), view_items=torch.tensor([2]))
    gathered = items.gathered()
    assert gathered.global_embeds is items.global_embeds and gathered.local_embeds is None
    assert gathered.view_items.tolist() == [2]
