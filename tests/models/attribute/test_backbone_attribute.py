"""Backbones: cut behind the map that is used, filled from pretrained models and folders."""

import pytest
import torch
from transformers import Dinov2Config, ResNetBackbone, ResNetForImageClassification

from hf_fashion.models.attribute.backbone_attribute import build_backbone, feature_map
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.tiny_attribute import IMAGE_SIZE, tiny_asen, tiny_asen_config, tiny_backbone_config


PIXELS = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))


def test_later_stages_are_cut_and_the_map_is_the_same():
    config = tiny_backbone_config()
    torch.manual_seed(0)
    whole = ResNetBackbone(config).eval()
    cut = build_backbone(config).eval()
    cut.load_state_dict({name: whole.state_dict()[name] for name in cut.state_dict()})
    assert len(whole.encoder.stages) == 4 and len(cut.encoder.stages) == 3
    with torch.no_grad():
        torch.testing.assert_close(feature_map(cut, PIXELS)[0], whole(PIXELS).feature_maps[0], rtol=0, atol=0)


def test_a_vision_transformer_as_backbone():
    sizes = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 64, "patch_size": 16}
    model = tiny_asen(backbone_config=Dinov2Config(**sizes, out_features=["stage2"]))
    assert len(model.global_branch.backbone.encoder.layer) == 2
    model.gradient_checkpointing_enable()
    plain = model(PIXELS).attribute_embeds
    model.train()
    outputs = model(PIXELS)
    outputs.attribute_embeds.sum().backward()
    assert outputs.attention_maps.shape == (2, 3, 4, 4)
    torch.testing.assert_close(outputs.attribute_embeds, plain)


def test_a_backbone_without_stages_to_cut_says_so():
    fields = {"model_type": "pvt_v2", "out_features": ["stage2"]}
    with pytest.raises(ValueError, match="stage4"):
        tiny_asen(backbone_config=fields)


@pytest.mark.parametrize("from_folder", [False, True])
def test_from_backbones_takes_all_weights(from_folder, tmp_path):
    torch.manual_seed(1)
    source = ResNetForImageClassification(tiny_backbone_config(num_labels=5))
    local = ResNetBackbone(tiny_backbone_config(hidden_sizes=[4, 6, 8, 16]))
    expected = [source.resnet.encoder.state_dict(), local.encoder.state_dict()]
    if from_folder:
        source.save_pretrained(tmp_path / "source")
        local.save_pretrained(tmp_path / "local")
        source, local = tmp_path / "source", str(tmp_path / "local")
    model = AsenModel.from_backbones(tiny_asen_config(local=True), source, local)
    assert not model.training
    for branch, weights in zip((model.global_branch, model.local_branch), expected, strict=True):
        for name, tensor in branch.backbone.encoder.state_dict().items():
            assert torch.equal(tensor, weights[name]), name


def test_a_backbone_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="cannot fill"):
        AsenModel.from_backbones(
            tiny_asen_config(), ResNetBackbone(tiny_backbone_config(depths=[1, 1, 1, 1], embedding_size=6))
        )
    with pytest.raises(ValueError, match="local_backbone"):
        source = ResNetBackbone(tiny_backbone_config())
        AsenModel.from_backbones(tiny_asen_config(), source, source)
