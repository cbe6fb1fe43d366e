"""The output of attribute-specific models behaves as transformers' outputs do."""

import torch

from hf_fashion.models.attribute.modeling_outputs_attribute import AttributeOutput


def test_missing_parts_are_none_and_no_part_of_the_tuple():
    embeds, maps = torch.ones(2, 3, 4), torch.ones(2, 3, 5, 5)
    output = AttributeOutput(attribute_embeds=embeds, attention_maps=maps)
    assert output.boxes is None and list(output) == ["attribute_embeds", "attention_maps"]
    assert [part is expected for part, expected in zip(output.to_tuple(), (embeds, maps), strict=True)] == [True] * 2


def test_search_features_come_first():
    assert AttributeOutput(boxes=torch.zeros(1, 1, 4), attribute_embeds=torch.ones(1, 1, 2))[0].shape == (1, 1, 2)
