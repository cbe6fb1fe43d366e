"""A step of training a combiner: its loss, and the limit of the factor on the scores."""

import torch

from hf_fashion.losses.info_nce import combiner_loss
from hf_fashion.training.combiner.step import CombinerStep
from tests.tiny_combiner import tiny_combiner, tiny_queries


def test_the_loss_is_that_of_the_moved_queries():
    model, targets, keys = tiny_combiner(), tiny_queries(seed=1)["photo_embeds"], torch.arange(3)
    batch = tiny_queries() | {"target_embeds": targets, "keys": keys}
    losses = CombinerStep()(model, model, batch)
    outputs = model(**tiny_queries())
    torch.testing.assert_close(losses["loss"], combiner_loss(outputs.query_embeds, targets, keys, outputs.logit_scale))
    losses["loss"].backward()
    assert model.residual.weight.grad.abs().sum() > 0 and model.logit_scale.grad != 0


def test_the_factor_on_the_scores_stays_below_a_hundred():
    model = tiny_combiner(logit_scale_init_value=7.0)
    with torch.no_grad():
        CombinerStep().after_update(model)
    assert 99.9 < model.logit_scale.exp() < 100.1
