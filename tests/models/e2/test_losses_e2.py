"""The losses in the model's own forward: weighted as configured, and those of the training scripts."""

import pytest
import torch

from hf_fashion import E2Model
from hf_fashion.losses.e2 import e2_losses
from tests.tiny_e2 import tiny_inputs, tiny_model
from tests.tiny_towers import tiny_pixels, tiny_two_towers


def siglip_and_inputs() -> tuple[E2Model, dict]:
    model = E2Model.from_towers(
        tiny_two_towers(), tag_entities=["brand"], contrastive_loss_weight=0.7, region_loss_weight=0.2
    )
    ids = torch.arange(1, 25).view(2, 12)
    inputs = {"input_ids": ids, "pixel_values": tiny_pixels(), "tag_input_ids": ids[:, None]}
    return model, inputs | {"tag_ids": torch.tensor([[5], [5]])}


def clip_and_inputs() -> tuple[E2Model, dict]:
    return tiny_model(contrastive_loss_weight=0.7, region_loss_weight=0.2), tiny_inputs(4)


@pytest.mark.parametrize("start", [clip_and_inputs, siglip_and_inputs])
def test_loss_is_the_weighted_sum_and_equals_the_training_script(start):
    model, inputs = start()
    outputs = model(**inputs, return_loss=True)
    torch.testing.assert_close(outputs.loss, 0.7 * outputs.losses["contrastive"] + 0.2 * outputs.losses["region"])
    script = e2_losses(
        outputs.image_embeds,
        outputs.text_embeds,
        model.logit_scale.exp(),
        outputs.region_embeds,
        outputs.tag_embeds,
        inputs["tag_ids"],
        logit_bias=model.logit_bias,
    )
    assert script.keys() == outputs.losses.keys()
    for name, loss in script.items():
        torch.testing.assert_close(loss, outputs.losses[name])
