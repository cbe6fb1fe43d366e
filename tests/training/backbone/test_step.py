"""A step of pretraining: the cross-entropy of the model's logits, in two processes as in one."""

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from transformers import ViTConfig

from hf_fashion.losses.attribute_cross_entropy import attribute_cross_entropy
from hf_fashion.training.attribute.build import square_processor
from hf_fashion.training.backbone.build import PatchMeanClassifier
from hf_fashion.training.backbone.photos import ClassifierCollator
from hf_fashion.training.backbone.step import BackboneStep
from tests.scripts.tiny_attribute_run import VIT
from tests.training.backbone.tiny_backbone import NUM_VALUES, tiny_classifier, tiny_photos
from tests.warm_processes import end_rank, run_ranks


VALUE_IDS = torch.tensor([[0, -1], [-1, -1], [3, 1], [1, 0]])  # the first half has few labels


def test_the_loss_is_that_of_the_logits(tmp_path):
    photos = tiny_photos(tmp_path)
    batch = ClassifierCollator(square_processor(16))([photos[row] for row in range(6)])
    model = tiny_classifier()
    logits = model(batch["pixel_values"]).logits
    found = BackboneStep(NUM_VALUES)(model, model, batch)["loss"]
    torch.testing.assert_close(found, attribute_cross_entropy(logits, batch["value_ids"], NUM_VALUES))


def tiny_vit() -> PatchMeanClassifier:
    """Return a classifier without batch norm, whose statistics depend on how a batch is divided."""
    torch.manual_seed(0)
    return PatchMeanClassifier(ViTConfig(**VIT, num_labels=sum(NUM_VALUES)))


def gradients(model: torch.nn.Module, core: PatchMeanClassifier, rows: slice) -> dict[str, torch.Tensor]:
    """Return the loss of the step on some of four photos, and the gradients."""
    pixels = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    batch = {"pixel_values": pixels[rows], "value_ids": VALUE_IDS[rows]}
    loss = BackboneStep(NUM_VALUES)(model, core, batch)["loss"]
    loss.backward()
    found = {name: weight.grad for name, weight in core.named_parameters() if weight.grad is not None}
    return {"loss": loss.detach()} | {name: gradient.contiguous() for name, gradient in found.items()}


def run_rank(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    core = tiny_vit()
    model = torch.nn.parallel.DistributedDataParallel(core, find_unused_parameters=True)
    save_file(gradients(model, core, slice(2 * rank, 2 * rank + 2)), f"{folder}/{rank}")
    end_rank()


def test_two_processes_learn_what_one_learns(tmp_path):
    run_ranks(run_rank, str(tmp_path))
    core = tiny_vit()
    expected = gradients(core, core, slice(4))
    for rank in range(2):
        torch.testing.assert_close(load_file(tmp_path / str(rank)), expected, rtol=1e-4, atol=1e-6)
