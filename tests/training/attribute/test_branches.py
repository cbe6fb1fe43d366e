"""Branches of models, and of losses: a loss of a branch that is missing is an error before the first stage."""

import pytest
import torch

from hf_fashion.losses.attribute import ATTRIBUTE_LOSSES, attribute_losses
from hf_fashion.losses.attribute_items import AttributeItems
from hf_fashion.training.attribute.branches import centred_branches, model_branches, require_branches
from hf_fashion.training.attribute.recipe import AttributeStageRecipe
from hf_fashion.training.attribute.step import BRANCH_FIELDS
from tests.tiny_attribute import IMAGE_SIZE, tiny_asen
from tests.tiny_ipad import tiny_ipad


def stage(losses: dict[str, float]) -> AttributeStageRecipe:
    return AttributeStageRecipe(epochs=1, learning_rate=1e-4, losses=losses)


@pytest.mark.parametrize(
    "model",
    [
        tiny_asen(),
        tiny_asen(local=True),
        tiny_asen(head="triplet"),
        tiny_ipad(),
        tiny_ipad(use_semantic_branch=False),
        tiny_ipad(use_spatial_attention=False),
    ],
)
def test_branches_are_those_of_the_models_output(model):
    outputs = model(torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE), torch.tensor([0]))
    assert model_branches(model.config) == [name for name in BRANCH_FIELDS if outputs.get(name) is not None]


@pytest.mark.parametrize("name", ATTRIBUTE_LOSSES)
def test_a_loss_reads_the_branches_that_it_names(name):
    """It has enough with them, and too few without any of them."""
    embeds, ids = torch.eye(6), torch.zeros(6, dtype=torch.long)
    centres = {branch: (torch.eye(6)[None], torch.ones(1, 6).bool()) for branch in BRANCH_FIELDS[:2]}
    triplets, reads = torch.arange(6).view(-1, 3), ATTRIBUTE_LOSSES[name].branches

    def compute(branches):
        items = AttributeItems(embeds, ids, torch.arange(6), **dict.fromkeys(branches, embeds))
        attribute_losses(items, triplets, {name: 1.0}, centres)

    compute(reads)
    for branch in reads:
        with pytest.raises(ValueError, match=f"needs `{branch}`"):
            compute(set(reads) - {branch})


def test_a_loss_of_a_later_stage_whose_branch_is_missing_is_named_with_what_to_do():
    stages = [stage({"global_triplet": 1.0}), stage({"global_triplet": 1.0, "local_triplet": 0.1})]
    message = (
        r"`training\.stages\[1\]\.losses` names local_triplet, which reads `local_embeds`, and this asen has only "
    )
    message += r"global_embeds: remove the loss, or set `model\.config\.local_backbone_config`\."
    with pytest.raises(ValueError, match=message):
        require_branches(stages, tiny_asen().config)
    with pytest.raises(
        ValueError, match=r"e_info_nce, which reads `background_embeds`.*local_embeds: remove the loss\.$"
    ):
        require_branches([stage({"e_info_nce": 1.0})], tiny_asen(local=True).config)
    require_branches(stages, tiny_asen(local=True).config)
    require_branches([stage(dict.fromkeys(ATTRIBUTE_LOSSES, 1.0))], tiny_ipad().config)


def test_branches_whose_centres_some_stage_needs():
    assert centred_branches([stage({"global_triplet": 1.0})]) == []
    stages = [stage({"global_triplet": 1.0, "local_centre": 1.0}), stage({"global_centre": 1.0})]
    assert centred_branches(stages) == ["global_embeds", "local_embeds"]
    assert centred_branches(stages[:1]) == ["local_embeds"]
