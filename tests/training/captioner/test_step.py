"""A step of a captioner: the loss of its batch, in two processes as in one, and an embedding model that stays."""

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from hf_fashion.models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from hf_fashion.training.captioner.step import CaptionerStep
from hf_fashion.training.recipe import StageRecipe
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor, tiny_captioner
from tests.warm_processes import end_rank, run_ranks


def test_only_prefix_and_decoder_learn():
    model, step = tiny_captioner(), CaptionerStep()
    step.start_stage(model, StageRecipe(epochs=1, learning_rate=1.0))
    batch = dict(tiny_caption_processor()(text=CAPTIONS)) | {"text_embeds": torch.randn(3, 12)}
    loss = step(model, model, batch)["loss"]
    torch.testing.assert_close(loss, model(**batch).loss)
    loss.backward()
    learned = {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None}
    assert learned == set(model.new_modules)


def gradients(model: torch.nn.Module, core: CaptionerForConditionalGeneration, rows: slice) -> dict[str, torch.Tensor]:
    """Return the loss of the step on some of four captions, and the gradients."""
    captions = ["Puma", "Nike", *CAPTIONS[:2]][rows]  # each process pads to its own longest one
    embeds = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    loss = CaptionerStep()(model, core, dict(tiny_caption_processor()(text=captions)) | {"text_embeds": embeds[rows]})
    loss["loss"].backward()
    found = {name: weight.grad for name, weight in core.named_parameters() if weight.grad is not None}
    return {"loss": loss["loss"].detach()} | {name: gradient.contiguous() for name, gradient in found.items()}


def trained_captioner() -> CaptionerForConditionalGeneration:
    model = tiny_captioner()
    CaptionerStep().start_stage(model, StageRecipe(epochs=1, learning_rate=1.0))
    return model


def run_rank(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    core = trained_captioner()
    model = torch.nn.parallel.DistributedDataParallel(core, find_unused_parameters=True)
    save_file(gradients(model, core, slice(2 * rank, 2 * rank + 2)), f"{folder}/{rank}")
    end_rank()


def test_two_processes_learn_what_one_learns(tmp_path):
    run_ranks(run_rank, str(tmp_path))
    core = trained_captioner()
    expected = gradients(core, core, slice(4))
    for rank in range(2):
        torch.testing.assert_close(load_file(tmp_path / str(rank)), expected, rtol=1e-4, atol=1e-6)
