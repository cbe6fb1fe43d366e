"""IPAD whole: outputs, fusion (eq. 21), the switches of the paper's ablations, loading, precision."""

import re

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoBackbone,
    AutoModel,
    Dinov2Backbone,
    Dinov2Config,
    Dinov2ForImageClassification,
    Dinov2Model,
    ViTConfig,
    ViTModel,
)

from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_ipad import IpadModel, fuse_branches
from tests.tiny_attribute import tiny_backbone_config, tiny_photo_inputs
from tests.tiny_ipad import (
    DINOV2,
    REGISTERS,
    RPF,
    tiny_dinov2_fields,
    tiny_ipad,
    tiny_ipad_config,
    tiny_ipad_images,
    tiny_vit_fields,
)


# Outputs.


def test_output_shapes_and_order():
    outputs = tiny_ipad()(tiny_ipad_images(2), output_hidden_states=True)
    assert outputs.attribute_embeds.shape == (2, 3, 20) and outputs[0] is outputs.attribute_embeds
    assert outputs.global_embeds.shape == outputs.local_embeds.shape == outputs.background_embeds.shape == (2, 3, 10)
    assert outputs.iteration_maps.shape == (2, 3, 3, 4, 4) and outputs.boxes.shape == (2, 3, 4)
    assert torch.equal(outputs.attention_maps, outputs.iteration_maps[:, :, -1])
    assert [state.shape[1] for state in outputs.hidden_states] == [4, 4, 8, 12]
    torch.testing.assert_close(outputs.iteration_maps.sum((-1, -2)), torch.ones(2, 3, 3))
    torch.testing.assert_close(outputs.attribute_embeds.norm(dim=-1), torch.ones(2, 3))
    assert outputs.boxes.dtype == torch.long


def test_all_attributes_at_once_are_each_alone():
    model, images = tiny_ipad(), tiny_ipad_images(2)
    every = model(images)
    for attribute in range(3):
        one = model(images, torch.tensor([attribute, attribute]))
        for name in ("attribute_embeds", "global_embeds", "local_embeds", "background_embeds", "iteration_maps"):
            torch.testing.assert_close(one[name][:, 0], every[name][:, attribute], rtol=1e-4, atol=1e-5)
        assert torch.equal(one.boxes[:, 0], every.boxes[:, attribute])


def test_several_attributes_an_image_in_any_order():
    model, images = tiny_ipad(), tiny_ipad_images(2)
    every, chosen = model(images), model(images, torch.tensor([[2, 0], [1, 1]]))
    expected = torch.stack([every.attribute_embeds[0, [2, 0]], every.attribute_embeds[1, [1, 1]]])
    torch.testing.assert_close(chosen.attribute_embeds, expected, rtol=1e-4, atol=1e-5)
    features = model.get_attribute_features(images, torch.tensor([[2, 0], [1, 1]]))
    torch.testing.assert_close(features, chosen.attribute_embeds)


def test_the_backbone_runs_once_an_image():
    model, seen = tiny_ipad(), []
    model.backbone.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    model(tiny_ipad_images(2))
    assert seen == [2]
    assert len(model.backbone.encoder.stages) == 3, "the stage behind the map is cut away"


def test_another_backbone_will_do():
    backbone = {"model_type": "convnext", "num_stages": 3, "hidden_sizes": [8, 12, 16], "depths": [1, 1, 1]}
    model = tiny_ipad(backbone_config=backbone | {"out_features": ["stage2"]})
    assert model(tiny_ipad_images()).iteration_maps.shape == (2, 3, 3, 8, 8)
    assert len(model.backbone.encoder.stages) == 2


@pytest.mark.parametrize("ids", [torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([0.0, 1.0])])
def test_bad_ids_are_refused(ids):
    with pytest.raises(ValueError, match="attribute_ids"):
        tiny_ipad()(tiny_ipad_images(2), ids)


def test_regions_come_from_the_larger_photo():
    model, inputs = tiny_ipad(), tiny_photo_inputs()
    outputs, without = model(**inputs), model(inputs["pixel_values"])
    torch.testing.assert_close(outputs.attention_maps, without.attention_maps)
    height, width = inputs["source_sizes"].unsqueeze(1).unbind(-1)
    left, top, right, bottom = outputs.boxes.unbind(-1)
    assert (left >= 0).all() and (top >= 0).all() and (right <= width).all() and (bottom <= height).all()
    assert not torch.equal(outputs.boxes, without.boxes)
    assert not torch.allclose(outputs.local_embeds, without.local_embeds, atol=1e-3)


# Fusion.


@pytest.mark.parametrize(("fusion", "name"), [("concat", "concat"), ("sum", "additive_eq21")])
def test_eq_21_equals_the_fixture(shared_fixtures, fusion, name):
    """Eq. 21 as it is published and as it is printed."""
    tensors = load_file(shared_fixtures / "fusion.safetensors")
    found = fuse_branches(tensors["f_region"], tensors["f_patch"], 0.3, fusion)
    torch.testing.assert_close(found, tensors[name], rtol=0, atol=1e-10)


def test_eq_21_concatenated_scores_are_the_weighted_mean_of_cosines():
    """Eq. 21, concat: a dot product is beta cos(f_sp) + (1 - beta) cos(f_se)."""
    spatial, semantic = torch.randn(2, 5, 6, dtype=torch.float64)
    fused = fuse_branches(spatial, semantic, 0.4)
    cosines = [torch.cosine_similarity(x[:, None], x[None], dim=-1) for x in (spatial, semantic)]
    torch.testing.assert_close(fused @ fused.T, 0.4 * cosines[0] + 0.6 * cosines[1])
    assert fuse_branches(spatial, semantic, 0.4, "sum").shape == (5, 6)


@pytest.mark.parametrize("fusion", ["concat", "sum"])
@pytest.mark.parametrize(("beta", "branch"), [(0, "local_embeds"), (1.0, "global_embeds")])
def test_at_the_ends_of_beta_one_branch_is_left(fusion, beta, branch):
    outputs = tiny_ipad(beta=beta, fusion=fusion)(tiny_ipad_images(4))
    scores = outputs.attribute_embeds[:, 0] @ outputs.attribute_embeds[:, 0].T
    embeds = torch.nn.functional.normalize(outputs[branch][:, 0], dim=-1)
    torch.testing.assert_close(scores, embeds @ embeds.T)


# Ablations.


def test_without_the_semantic_branch():
    model = tiny_ipad(use_semantic_branch=False)
    outputs = model(tiny_ipad_images())
    assert model.semantics is None and outputs.local_embeds is None and outputs.boxes is None
    torch.testing.assert_close(outputs.attribute_embeds, torch.nn.functional.normalize(outputs.global_embeds, dim=-1))


def test_without_the_spatial_branch_it_still_finds_the_region():
    outputs = tiny_ipad(use_spatial_branch=False)(tiny_ipad_images())
    torch.testing.assert_close(outputs.attribute_embeds, torch.nn.functional.normalize(outputs.local_embeds, dim=-1))
    torch.testing.assert_close(outputs.boxes, tiny_ipad()(tiny_ipad_images()).boxes)


def test_without_spatial_attention_there_is_no_background():
    model = tiny_ipad(use_spatial_attention=False)
    outputs = model(tiny_ipad_images())
    assert outputs.background_embeds is None
    torch.testing.assert_close(outputs.attention_maps, torch.full((2, 3, 4, 4), 1 / 16))
    assert outputs.boxes.tolist() == [[[0, 0, 64, 64]] * 3] * 2
    assert not any("spatial_attention" in name for name in model.state_dict())


def test_without_channel_attention_it_has_no_gate():
    model = tiny_ipad(use_channel_attention=False)
    assert model(tiny_ipad_images()).attribute_embeds.shape == (2, 3, 20)
    assert not any("channel_gate" in name for name in model.state_dict())


@pytest.mark.parametrize("suppression", ["exclude", "none"])
def test_suppression_makes_a_difference(suppression):
    found = tiny_ipad(suppression=suppression)(tiny_ipad_images()).attention_maps
    assert not torch.allclose(found, tiny_ipad()(tiny_ipad_images()).attention_maps)


@pytest.mark.parametrize("num_iterations", range(1, 11))
def test_one_to_ten_rounds(num_iterations):
    outputs = tiny_ipad(num_iterations=num_iterations)(tiny_ipad_images())
    assert outputs.iteration_maps.shape[2] == num_iterations
    assert torch.isfinite(outputs.attribute_embeds).all()


def test_rpf_has_one_round_no_gate_and_a_background():
    model = tiny_ipad(**RPF)
    outputs = model(tiny_ipad_images())
    assert outputs.iteration_maps.shape[2] == 1 and outputs.background_embeds.shape == (2, 3, 12)
    assert not any("channel_gate" in name for name in model.state_dict())


# Learning.


FIELDS = [
    {},
    {"readout": "attribute"},
    {"use_spatial_attention": False},
    {"use_channel_attention": False},
    {"suppression": "exclude"},
    {"fusion": "sum"},
    RPF,
    {"region_size": 24},
    DINOV2,
    REGISTERS,
]


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_every_parameter_learns(fields):
    model = tiny_ipad(**fields).train()
    outputs = model(tiny_ipad_images(3))
    names = ("global_embeds", "local_embeds", "background_embeds")
    sum(outputs[name].sin().sum() for name in names if name in outputs).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    # The keys' bias moves all scores of a softmax alike.
    silent = [name for name, p in model.named_parameters() if p.grad.abs().sum() == 0]
    assert [name for name in silent if not name.endswith("k_proj.bias")] == []


@pytest.mark.parametrize("fields", [{}, DINOV2, REGISTERS], ids=["vit", "dinov2", "registers"])
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_gradient_checkpointing_gives_the_same_gradients(use_reentrant, fields):
    gradients = []
    for checkpointing in (False, True):
        model = tiny_ipad(dropout=0.0, **fields).train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": use_reentrant})
            layers = [part for part in model.semantics.vit.modules() if hasattr(part, "gradient_checkpointing")]
            assert len(layers) >= 2 and all(layer.gradient_checkpointing for layer in layers)
        model(tiny_ipad_images()).attribute_embeds.sin().sum().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


def test_without_a_vit_there_is_nothing_to_checkpoint():
    with pytest.raises(ValueError, match="checkpointing"):
        tiny_ipad(use_semantic_branch=False).gradient_checkpointing_enable()


def test_no_gradient_passes_through_the_box():
    model = tiny_ipad().train()
    model(tiny_ipad_images()).local_embeds.sin().sum().backward()
    assert all(p.grad is None for p in model.positioning.parameters())


# Precision and loading.


@pytest.mark.parametrize("fields", [{}, {"region_size": 24}, DINOV2], ids=["vit", "resized", "dinov2"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_leaves_the_rounds_in_float32(tmp_path, dtype, fields):
    model = tiny_ipad(**fields)
    model.save_pretrained(tmp_path)
    half = IpadModel.from_pretrained(tmp_path, dtype=dtype, device_map="cpu")
    assert half.backbone.dtype == half.semantics.projection.weight.dtype == half.dtype == dtype
    assert half.positioning.projection.weight.dtype == torch.float32
    outputs, expected = half(tiny_ipad_images()), model(tiny_ipad_images())
    torch.testing.assert_close(outputs.global_embeds.float(), expected.global_embeds, rtol=0, atol=0.2)
    assert torch.isfinite(outputs.attribute_embeds).all()


def test_training_under_autocast_gives_finite_gradients():
    model = tiny_ipad().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = model(tiny_ipad_images())
        loss = (outputs.attribute_embeds.sin().sum() + outputs.background_embeds.sin().sum()).float()
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


SAVED = {
    "ipad": {},
    "rpf": RPF,
    "without SE": {"use_semantic_branch": False},
    "dinov2": DINOV2,
    "registers": REGISTERS,
}


@pytest.mark.parametrize("fields", SAVED.values(), ids=SAVED)
def test_saved_and_loaded_is_equal(tmp_path, fields):
    model = tiny_ipad(**fields)
    model.save_pretrained(tmp_path)
    again = IpadModel.from_pretrained(tmp_path)
    torch.testing.assert_close(again(tiny_ipad_images())[0], model(tiny_ipad_images())[0], rtol=0, atol=0)
    assert again.config.attribute_values == model.config.attribute_values
    assert not any("mask_token" in name for name, _ in again.named_parameters())


@pytest.mark.parametrize("as_folder", [False, True])
def test_from_pretrained_backbones(tmp_path, as_folder):
    torch.manual_seed(3)
    backbone = AutoBackbone.from_config(tiny_backbone_config())
    vit = ViTModel(ViTConfig(**tiny_vit_fields()))
    sources = [backbone, vit]
    if as_folder:
        for source, name in zip(sources, ("backbone", "vit"), strict=True):
            source.save_pretrained(tmp_path / name)
        sources = [tmp_path / "backbone", tmp_path / "vit"]
    model = IpadModel.from_backbones(tiny_ipad_config(), *sources)
    for name, tensor in model.backbone.state_dict().items():
        assert torch.equal(tensor, backbone.state_dict()[name])
    for name, tensor in model.semantics.vit.state_dict().items():
        assert torch.equal(tensor, vit.state_dict()[name])


def test_nothing_drowns_pretrained_backbones():
    """The MLPs that are added to embeddings start from 0 next to pretrained backbones only."""
    new, pooled = tiny_ipad(), torch.randn(3, 10)
    assert new.positioning.head.fc2.weight.any() and new.semantics.fc2.weight.any()
    backbone, vit = AutoBackbone.from_config(tiny_backbone_config()), ViTModel(ViTConfig(**tiny_vit_fields()))
    model = IpadModel.from_backbones(tiny_ipad_config(), backbone, vit)
    assert torch.equal(model.positioning.head(pooled), model.positioning.head.layer_norm(pooled))
    assert model.semantics.fc1.weight.any() and not model.semantics.fc2.weight.any()
    assert 0 < model.semantics.type_embeddings.weight.std() < 0.04 < new.semantics.type_embeddings.weight.std()


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize("source", [Dinov2Model, Dinov2ForImageClassification, Dinov2Backbone])
def test_dinov2_fills_the_region_branch(tmp_path, source, as_folder):
    torch.manual_seed(3)
    backbone, dinov2 = AutoBackbone.from_config(tiny_backbone_config()), source(Dinov2Config(**tiny_dinov2_fields()))
    if as_folder:
        dinov2.save_pretrained(tmp_path)
    config = tiny_ipad_config(**DINOV2)
    model = IpadModel.from_backbones(config, backbone, tmp_path if as_folder else dinov2)
    expected = dinov2.base_model.state_dict()
    weights = model.semantics.vit.state_dict()
    dropped = {"layernorm.weight", "layernorm.bias", "embeddings.mask_token"}
    assert {name for name in expected if name not in weights} == dropped
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.items())
    assert model(tiny_ipad_images()).local_embeds.isfinite().all()


def test_the_folder_of_another_vision_transformer_is_refused(tmp_path):
    Dinov2Model(Dinov2Config(**tiny_dinov2_fields())).save_pretrained(tmp_path)
    backbone = AutoBackbone.from_config(tiny_backbone_config())
    with pytest.raises(ValueError, match=r"is a 'dinov2', but the configuration's backbone is a 'vit'.*`vit_config`"):
        IpadModel.from_backbones(tiny_ipad_config(), backbone, tmp_path)


def test_backbones_that_do_not_fit_are_refused():
    backbone, vit = AutoBackbone.from_config(tiny_backbone_config()), ViTModel(ViTConfig(**tiny_vit_fields()))
    with pytest.raises(ValueError, match="ViT"):
        IpadModel.from_backbones(tiny_ipad_config(vit_config=tiny_vit_fields(num_hidden_layers=3)), backbone, vit)
    with pytest.raises(ValueError, match="local_backbone"):
        IpadModel.from_backbones(tiny_ipad_config(use_semantic_branch=False), backbone, vit)


def test_full_size_has_the_papers_parts():
    """ResNet-50 to its third stage has 8.54 M parameters, ViT-B/16 without pooler and final layer norm 85.8 M."""
    with torch.device("meta"):
        model = IpadModel(IpadConfig())
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert round(count["backbone"] / 1e6, 2) == 8.54
    assert round(sum(p.numel() for p in model.semantics.vit.parameters()) / 1e6, 1) == 85.8
    assert model.backbone.channels[-1] == 1024


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_parts_that_stay_in_float32_are_made_in_it(dtype):
    model = AutoModel.from_config(tiny_ipad_config(), dtype=dtype)
    kept = {name: tensor.dtype for name, tensor in model.state_dict().items() if re.match("positioning", name)}
    assert kept and set(kept.values()) == {torch.float32}


# Compiled.


@pytest.mark.parametrize("fields", [{}, DINOV2], ids=["vit", "dinov2"])
def test_all_of_it_compiles_to_one_graph(fields):
    model, inputs = tiny_ipad(**fields), tiny_photo_inputs()
    inputs["attribute_ids"] = torch.tensor([[0, 2]] * 3)
    with torch.no_grad():
        found, expected = torch.compile(model, backend="eager", fullgraph=True)(**inputs), model(**inputs)
    assert torch.equal(found.boxes, expected.boxes)
    torch.testing.assert_close(found.attribute_embeds, expected.attribute_embeds)
