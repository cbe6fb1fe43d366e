"""A step of attribute-specific training: losses of real models against the losses one by one."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from hf_fashion.losses.attribute import published_weights
from hf_fashion.losses.attribute_items import AttributeItems
from hf_fashion.losses.branch_alignment import branch_alignment_loss
from hf_fashion.losses.triplet import triplet_loss
from hf_fashion.training.attribute.diverging import AttributeDiverging
from hf_fashion.training.attribute.recipe import AttributeStageRecipe, SamplingRecipe
from hf_fashion.training.attribute.step import AttributeStep
from tests.tiny_attribute import EMBEDDING_DIM, tiny_asen


TRIPLETS = SamplingRecipe(kind="triplets")


@pytest.fixture(scope="module")
def accelerator():
    return Accelerator(cpu=True)


def batch_of(values=(1, 1, 0, 2, 2, 1), attributes=(0, 0, 0, 2, 2, 2), views=()):
    pixels = torch.randn(len(values) + len(views), 3, 64, 64, generator=torch.Generator().manual_seed(0))
    attribute_ids, view_items = torch.tensor(attributes), torch.tensor(views, dtype=torch.long)
    labels = {"attribute_ids": torch.cat([attribute_ids, attribute_ids[view_items]])}
    return labels | {"pixel_values": pixels, "value_ids": torch.tensor(values), "view_items": view_items}


def losses_of(step, model, batch, weights, steps=1):
    step.start_stage(model, stage(weights))
    for _ in range(steps):
        losses = step(model, model, batch)
    return losses


def stage(losses):
    return AttributeStageRecipe(epochs=1, learning_rate=1e-4, losses=losses)


def embeds_of(model, batch, **inputs):
    outputs = model(batch["pixel_values"], batch["attribute_ids"], **inputs)
    local = None if outputs.local_embeds is None else outputs.local_embeds[:, 0]
    return outputs.global_embeds[:, 0], local


def test_drawn_triplets_give_the_losses_of_asen_plus_plus(accelerator):
    model, batch = tiny_asen(local=True), batch_of()
    losses = losses_of(AttributeStep(accelerator, TRIPLETS), model, batch, published_weights("asen++"))
    whole, local = embeds_of(model, batch)
    expected = {
        "global_triplet": triplet_loss(whole[::3], whole[1::3], whole[2::3]),
        "local_triplet": triplet_loss(local[::3], local[1::3], local[2::3]),
        "alignment": sum(branch_alignment_loss(whole[role::3], local[role::3]) for role in range(3)),
    }
    expected["loss"] = expected["global_triplet"] + 0.1 * expected["local_triplet"] + 0.1 * expected["alignment"]
    assert losses.keys() == expected.keys()
    for name, loss in expected.items():
        assert torch.allclose(losses[name], loss, atol=1e-6), name


def test_views_of_anchors_join_the_region_triplets(accelerator):
    model, batch = tiny_asen(), batch_of(views=(0, 3, 0, 3))
    losses = losses_of(AttributeStep(accelerator, TRIPLETS), model, batch, {"global_triplet": 1.0})
    whole, _ = embeds_of(model, batch)
    x, p, n = whole[:6:3], whole[1:6:3], whole[2:6:3]
    first, second = whole[6:8], whole[8:]
    five = [(x, p, n), (first, p, n), (second, p, n), (x, first, n), (x, second, n)]
    expected = sum(triplet_loss(*triplet) for triplet in five) / 5
    assert torch.allclose(losses["global_triplet"], expected, atol=1e-6)


def test_groups_yield_all_their_triplets_or_as_many_as_are_wanted(accelerator):
    model, batch = tiny_asen(), batch_of((1, 1, 0, 2, 2, 1))
    whole, _ = embeds_of(model, batch)
    losses = losses_of(AttributeStep(accelerator, SamplingRecipe()), model, batch, {"global_triplet": 1.0})
    rows = [(0, 1, 2), (1, 0, 2), (3, 4, 5), (4, 3, 5)]
    expected = sum(triplet_loss(*(whole[row, None] for row in triplet)) for triplet in rows) / 4
    assert torch.allclose(losses["global_triplet"], expected, atol=1e-6)
    items = AttributeItems(whole, batch["attribute_ids"], batch["value_ids"])
    few = AttributeStep(accelerator, SamplingRecipe(triplet_limit=2))
    assert len(few.triplets(items)) == 2 and torch.equal(few.triplets(items), few.triplets(items))


def test_groups_of_two_processes_meet_unless_images_carry_several_values():
    ids, values = torch.zeros(8, dtype=torch.long), torch.tensor([0, 0, 1, 1] * 2)
    items = AttributeItems(torch.zeros(8, 1), ids, values)
    two = SimpleNamespace(num_processes=2)
    together = AttributeStep(two, SamplingRecipe()).triplets(items)
    apart = AttributeStep(two, SamplingRecipe(), multi_label=True).triplets(items)
    assert len(together) == 8 * 3 * 4 and len(apart) == 2 * 4 * 1 * 2
    assert ((apart < 4).all(1) | (apart >= 4).all(1)).all()


def test_the_source_is_what_regions_are_cropped_from(accelerator):
    model, batch = tiny_asen(local=True), batch_of()
    source = torch.randn(6, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    step = AttributeStep(accelerator, TRIPLETS)
    losses = losses_of(step, model, batch | {"source_pixel_values": source}, {"local_triplet": 1.0})
    _, local = embeds_of(model, batch, source_pixel_values=source)
    assert torch.allclose(losses["loss"], triplet_loss(local[::3], local[1::3], local[2::3]), atol=1e-6)
    assert not torch.allclose(losses["loss"], losses_of(step, model, batch, {"local_triplet": 1.0})["loss"])


def test_a_stage_takes_its_own_losses(accelerator):
    model, batch, step = tiny_asen(local=True), batch_of(), AttributeStep(accelerator, TRIPLETS)
    first = losses_of(step, model, batch, {"global_triplet": 2.0})
    assert set(first) == {"loss", "global_triplet"}
    assert torch.allclose(first["loss"], 2 * first["global_triplet"])
    assert set(losses_of(step, model, batch, {"alignment": 1.0})) == {"loss", "alignment"}


def test_diverging_takes_the_momentum_copy_of_the_items_and_follows_after_updates(accelerator):
    model, batch = tiny_asen(), batch_of(views=(0, 3))
    whole = embeds_of(model, batch)[0].detach()
    settings = {"momentum": 0.5, "capacity": 4, "min_filled": 1, "refresh_every": 1}
    diverging = AttributeDiverging(model, [2, 2, 3], {"global_embeds": EMBEDDING_DIM}, **settings)
    step = AttributeStep(accelerator, TRIPLETS, diverging=diverging)
    assert step.checkpointed == [diverging]
    assert losses_of(step, model, batch, {"global_centre": 1.0})["loss"] == 0, "no centre is there yet"
    centres, present = diverging.centres["global_embeds"]
    assert present.sum() == 4
    assert torch.allclose(centres[0, 1], whole[:2].mean(0), atol=1e-2), "views are not in the queues"
    assert losses_of(step, model, batch, {"global_centre": 1.0})["loss"] > 0

    copy = diverging.encoder.model.global_branch.head.projection.weight.clone()
    with torch.no_grad():
        model.global_branch.head.projection.weight += 1
    step.after_update(model)
    moved = diverging.encoder.model.global_branch.head.projection.weight
    assert torch.allclose(moved, copy + 0.5, atol=1e-6)
