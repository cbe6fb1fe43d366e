"""A step of a captioner: the loss of its batch, in two processes as in one, and an embedding model that stays."""

import torch

from hf_fashion.models.captioner.modeling_captioner import CaptionerForConditionalGeneration
from hf_fashion.training.captioner.step import CaptionerStep
from hf_fashion.training.recipe import StageRecipe
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor, tiny_captioner
from tests.training.two_halves import require_as_one


def test_only_prefix_and_decoder_learn():
    model, step = tiny_captioner(), CaptionerStep()
    step.start_stage(model, StageRecipe(epochs=1, learning_rate=1.0))
    batch = dict(tiny_caption_processor()(text=CAPTIONS)) | {"text_embeds": torch.randn(3, 12)}
    loss = step(model, model, batch)["loss"]
    torch.testing.assert_close(loss, model(**batch).loss)
    loss.backward()
    learned = {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None}
    assert learned == set(model.new_modules)


def trained_captioner() -> CaptionerForConditionalGeneration:
    model = tiny_captioner()
    CaptionerStep().start_stage(model, StageRecipe(epochs=1, learning_rate=1.0))
    return model


def loss_of(model: torch.nn.Module, core: CaptionerForConditionalGeneration, rows: slice) -> torch.Tensor:
    """Return the loss of the step on some of four captions."""
    captions = ["Puma", "Nike", *CAPTIONS[:2]][rows]  # each process pads to its own longest one
    embeds = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))[rows]
    return CaptionerStep()(model, core, dict(tiny_caption_processor()(text=captions)) | {"text_embeds": embeds})[
        "loss"
    ]


def test_two_processes_learn_what_one_learns(tmp_path):
    require_as_one(trained_captioner, loss_of, tmp_path)
