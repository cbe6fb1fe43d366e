"""Backbones: cut behind the map that is used, filled from pretrained models and folders."""

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForImageClassification,
    CLIPConfig,
    CLIPModel,
    Dinov2Config,
    ResNetBackbone,
    ResNetForImageClassification,
)

from hf_fashion.models.attribute.backbone_attribute import build_backbone, feature_map, load_pretrained
from hf_fashion.models.attribute.modeling_asen import AsenModel
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
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
    assert not any("mask_token" in name for name, _ in model.named_parameters())  # DDP would wait for its gradient
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


@pytest.mark.parametrize("model_type", ["mobilenet_v2", "vit"])
def test_the_folder_of_a_classifier_fills_a_model_without_a_backbone_class(model_type, tmp_path):
    source = AutoModelForImageClassification.from_config(tiny_bare_config(model_type, num_labels=5))
    source.save_pretrained(tmp_path)
    config = tiny_asen_config(backbone_config=tiny_bare_config(model_type, feature_stride=16))
    backbone = AsenModel.from_backbones(config, tmp_path).image_backbone
    expected = source.base_model.state_dict()
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_no_pickles_are_read(tmp_path):
    backbone = build_backbone(tiny_backbone_config())
    backbone.config.save_pretrained(tmp_path)
    torch.save(backbone.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"no file named model\.safetensors"):
        load_pretrained(backbone, tmp_path)


def test_a_clip_fills_its_vision_model(tmp_path):
    vision, text = tiny_bare_config("clip_vision_model"), {"hidden_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 9}
    clip = CLIPModel(CLIPConfig(vision_config=vision.to_dict(), text_config=text, projection_dim=8))
    clip.save_pretrained(tmp_path)
    backbone = build_backbone(vision)
    load_pretrained(backbone, tmp_path)
    with torch.no_grad():
        tokens = clip.vision_model(PIXELS).last_hidden_state[:, 1:]
        torch.testing.assert_close(feature_map(backbone.eval(), PIXELS)[0].flatten(2).transpose(1, 2), tokens)


def test_a_checkpoint_of_another_model_type_is_refused(tmp_path):
    AutoModelForImageClassification.from_config(tiny_bare_config("mobilenet_v2")).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a 'mobilenet_v2', but the configuration's backbone is a 'resnet'"):
        AsenModel.from_backbones(tiny_asen_config(), tmp_path)


def test_fields_that_change_what_the_weights_compute_are_named(caplog):
    load_pretrained(build_backbone(tiny_backbone_config()), ResNetForImageClassification(tiny_backbone_config()))
    assert not caplog.records
    config = tiny_bare_config("mobilenet_v2", tf_padding=False, hidden_act="relu", classifier_dropout_prob=0.5)
    source = AutoModelForImageClassification.from_config(tiny_bare_config("mobilenet_v2"))
    load_pretrained(build_backbone(config), source)
    (record,) = caplog.records
    assert "hidden_act=relu (there relu6), tf_padding=False (there True)" in record.getMessage()


@pytest.mark.parametrize("from_folder", [False, True])
@pytest.mark.parametrize("model_type", ["convnext", "swin"])
def test_layer_norms_that_only_the_backbone_class_has_start_from_1_and_0(model_type, from_folder, tmp_path, caplog):
    small = {"depths": [1, 1, 1, 1], "num_labels": 2}
    small |= {"embed_dim": 8, "num_heads": [1, 1, 1, 1], "window_size": 2} if model_type == "swin" else {}
    small |= {"hidden_sizes": [4, 6, 8, 10]} if model_type == "convnext" else {"image_size": IMAGE_SIZE}
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **small)
    source = AutoModelForImageClassification.from_config(config).eval()
    backbone = build_backbone(AutoConfig.for_model(model_type, **small, out_features=["stage3"])).eval()
    source.save_pretrained(tmp_path)
    with caplog.at_level("WARNING"):
        load_pretrained(backbone, tmp_path if from_folder else source)
    assert "hidden_states_norms.stage3.weight" in caplog.text and "start from 1 and 0" in caplog.text
    whole = type(backbone).from_pretrained(tmp_path, out_features=["stage3"]).eval()
    torch.testing.assert_close(feature_map(backbone, PIXELS)[0], whole(PIXELS).feature_maps[0])
    bare = build_backbone(backbone.config).eval()
    load_pretrained(bare, source.base_model)
    torch.testing.assert_close(feature_map(bare, PIXELS)[0], feature_map(backbone, PIXELS)[0])
