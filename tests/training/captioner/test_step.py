"""A step of a captioner: the loss of its batch, and an embedding model that stays as it is."""

import torch

from hf_fashion.training.captioner.step import CaptionerStep
from hf_fashion.training.recipe import StageRecipe
from tests.tiny_captioner import CAPTIONS, tiny_caption_processor, tiny_captioner


def test_only_prefix_and_decoder_learn():
    model, step = tiny_captioner(), CaptionerStep()
    step.start_stage(model, StageRecipe(epochs=1, learning_rate=1.0))
    batch = dict(tiny_caption_processor()(text=CAPTIONS)) | {"text_embeds": torch.randn(3, 12)}
    loss = step(model, model, batch)["loss"]
    torch.testing.assert_close(loss, model(**batch).loss)
    loss.backward()
    learned = {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None}
    assert learned == set(model.new_modules)
