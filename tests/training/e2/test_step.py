"""Steps of E2 and CLIP: their losses are the models' own, and the factor on the cosines is limited."""

import math

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from hf_fashion import FilipModel
from hf_fashion.training.e2.recipe import E2ModelRecipe, RegionWeightRecipe
from hf_fashion.training.e2.step import MAX_LOGIT_SCALE, ClipStep, E2Step, FilipStep, make_step, scheduled_weight
from tests.tiny_e2 import tiny_images, tiny_inputs, tiny_model, tiny_processor
from tests.tiny_e2_families import tiny_clip
from tests.tiny_filip import tiny_filip
from tests.tiny_siglip import tiny_siglip
from tests.warm_processes import end_rank, run_ranks


def test_the_losses_of_e2_are_those_of_its_forward():
    model, inputs = tiny_model(contrastive_loss_weight=0.7, region_loss_weight=0.2), tiny_inputs(4)
    outputs = model(**inputs, return_loss=True)
    losses = E2Step()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], outputs.loss)
    for name in ("contrastive", "region"):
        torch.testing.assert_close(losses[name], outputs.losses[name])


def test_the_loss_of_clip_is_that_of_its_forward():
    model = tiny_clip()
    inputs = {name: tiny_inputs(4)[name] for name in ("input_ids", "attention_mask", "pixel_values")}
    losses = ClipStep()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    assert losses["loss"] is losses["contrastive"]


def test_siglips_loss_is_that_of_its_forward_and_its_scale_is_not_limited():
    model = tiny_siglip()
    inputs = {"pixel_values": torch.randn(4, 3, 16, 16), "input_ids": torch.randint(514, (4, 40))}
    losses = ClipStep()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    with torch.no_grad():
        model.logit_scale.fill_(4.8)
        ClipStep().after_update(model)
    assert model.logit_scale.item() == pytest.approx(4.8)


def test_the_loss_of_filip_is_that_of_its_forward():
    model, step = tiny_filip(), make_step(E2ModelRecipe(architecture="filip"))
    inputs = {name: tiny_inputs(4)[name] for name in ("input_ids", "attention_mask", "pixel_values")}
    losses = step(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    torch.testing.assert_close(losses["loss"], losses["contrastive"])


def test_filip_on_siglip_keeps_the_sigmoid_loss_and_every_weight_has_a_gradient():
    model = FilipModel.from_towers(tiny_siglip())
    inputs = {"pixel_values": torch.randn(4, 3, 16, 16), "input_ids": torch.randint(514, (4, 40))}
    losses = FilipStep()(model, model, inputs)
    torch.testing.assert_close(losses["loss"], model(**inputs, return_loss=True).loss)
    losses["loss"].backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None and weight.numel()] == []


def filip_gradients(model: torch.nn.Module, core: FilipModel, rows: slice) -> list[torch.Tensor]:
    """Return the loss of FILIP's step on some of four products, and the gradients."""
    texts = ["a coat", "a red dress", "a striped shirt", "socks"][rows]  # each process pads to its own longest text
    batch = tiny_processor()(images=tiny_images(4)[rows], text=texts, return_tensors="pt", padding=True)
    loss = FilipStep()(model, core, batch)["loss"]
    loss.backward()
    return [loss.detach(), *(weight.grad for weight in core.parameters() if weight.numel())]


def run_filip_rank(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    core = tiny_filip()
    model = torch.nn.parallel.DistributedDataParallel(core, find_unused_parameters=True)
    save_file(dict(enumerated(filip_gradients(model, core, slice(2 * rank, 2 * rank + 2)))), f"{folder}/{rank}")
    end_rank()


def enumerated(tensors: list[torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    return [(str(number), tensor.contiguous()) for number, tensor in enumerate(tensors)]


def test_filip_in_two_processes_learns_what_it_learns_in_one(tmp_path):
    run_ranks(run_filip_rank, str(tmp_path))
    core = tiny_filip()
    expected = dict(enumerated(filip_gradients(core, core, slice(4))))
    for rank in range(2):
        torch.testing.assert_close(load_file(tmp_path / str(rank)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("architecture", ["e2", "clip"])
@pytest.mark.parametrize(("before", "after"), [(9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)])
def test_the_scale_is_limited_after_an_update(architecture, before, after):
    model = tiny_model() if architecture == "e2" else tiny_clip()
    with torch.no_grad():
        model.logit_scale.fill_(before)
        (E2Step if architecture == "e2" else ClipStep)().after_update(model)
    assert model.logit_scale.item() == pytest.approx(after) and after <= MAX_LOGIT_SCALE


def test_a_scheduled_weight_goes_evenly_from_start_to_end_and_stays():
    schedule = RegionWeightRecipe(start=0.2, end=0.6, epochs=2)
    found = [scheduled_weight(schedule, epochs) for epochs in (0, 0.5, 1, 2, 7)]
    assert found == pytest.approx([0.2, 0.3, 0.4, 0.6, 0.6])
    assert scheduled_weight(RegionWeightRecipe(start=0.5, end=0, epochs=0.5), 0.25) == pytest.approx(0.25)


def test_a_scheduled_weight_counts_in_the_loss_in_place_of_the_models():
    model, inputs = tiny_model(contrastive_loss_weight=0.7, region_loss_weight=0.9), tiny_inputs(4)
    step = make_step(E2ModelRecipe(region_weight=RegionWeightRecipe(start=0.0, end=0.5, epochs=2)))
    for epochs, weight in ((0, 0.0), (1, 0.25), (3, 0.5)):
        step.start_batch(epochs)
        losses = step(model, model, inputs)
        torch.testing.assert_close(losses["loss"], 0.7 * losses["contrastive"] + weight * losses["region"])
