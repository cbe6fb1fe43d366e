"""Adapters of the real models at tiny size: trained, saved, loaded on the base by every door, merged."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from peft import AutoPeftModel, LoraConfig, PeftModel, get_peft_model
from transformers import AutoModel, CLIPConfig, CLIPModel, PreTrainedModel

import hf_fashion
from hf_fashion.training.adapters import (
    add_adapter,
    added_by_adapter,
    check_lora,
    lora_config,
    save_merged,
)
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.tiny_attribute import tiny_asen
from tests.tiny_e2 import tiny_config, tiny_inputs, tiny_model
from tests.tiny_ipad import DINOV2, RPF, tiny_ipad, tiny_ipad_images


def tiny_clip() -> CLIPModel:
    whole, fields = tiny_config(), ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    vision = {name: getattr(whole.vision_config, name) for name in (*fields, "image_size", "patch_size")}
    return CLIPModel(CLIPConfig(text_config=whole.text_config.to_dict(), vision_config=vision, projection_dim=12))


MODELS = {
    "e2": tiny_model,
    "clip": tiny_clip,
    "asen++": lambda: tiny_asen(local=True),
    "asen-v2": lambda: tiny_asen(attention_variant="v2"),
    "csn": lambda: tiny_asen(head="csn"),
    "asen-mobilenet": lambda: tiny_asen(backbone_config=tiny_bare_config("mobilenet_v2", feature_stride=16)),
    "ipad": tiny_ipad,
    "rpf": lambda: tiny_ipad(**RPF, **DINOV2),
}


def inputs(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    if "attribute_names" in model.config.to_dict():
        return {"pixel_values": tiny_ipad_images(4)}
    names = ("input_ids", "attention_mask", "pixel_values")
    return {name: tensor for name, tensor in tiny_inputs().items() if name in names}


def outputs(model: torch.nn.Module) -> torch.Tensor:
    """Return all that a search or a classification reads."""
    with torch.no_grad():
        found = model.eval()(**inputs(model))
    names = ("image_embeds", "text_embeds", "region_embeds", "logits_per_image", "attribute_embeds", "attention_maps")
    return torch.cat([found[name].flatten() for name in names if found.get(name) is not None])


class Adapted(NamedTuple):
    """A base in a folder, a model with a trained adapter, and the folder of its export."""

    base: Path
    model: PreTrainedModel
    adapter: PeftModel
    export: Path


@pytest.fixture(scope="module", params=["e2", "clip", "asen++", "ipad"])
def adapted(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted")
    MODELS[request.param]().save_pretrained(folder / "base")
    model = AutoModel.from_pretrained(folder / "base")
    adapter = add_adapter(model, r=2)
    train(model)
    save_merged(adapter, folder / "best")
    return Adapted(folder / "base", model, adapter, folder / "best")


def train(model: PreTrainedModel) -> None:
    """Take three steps that move whatever can move, batch norms included."""
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        found = model.train()(**inputs(model))
        names = ("image_embeds", "text_embeds", "region_embeds", "attribute_embeds")
        sum(weighted_sum(found[name]) for name in names if found.get(name) is not None).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def weighted_sum(embeds: torch.Tensor) -> torch.Tensor:
    return (embeds * torch.linspace(-1, 1, embeds.numel()).view_as(embeds)).sum()


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_lora_config_needs_no_list_of_layers(make):
    model = make()
    adapter = get_peft_model(model, LoraConfig(exclude_modules=getattr(model, "lora_exclude_modules", None)))
    assert any("lora_A" in name for name, _ in adapter.named_parameters())


def test_a_new_adapter_changes_no_output_and_freezes_the_base(tmp_path):
    tiny_ipad().save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path)
    before = outputs(model)
    adapter = add_adapter(model, r=2)
    assert torch.equal(outputs(model), before)
    assert type(model) is hf_fashion.IpadModel and adapter.base_model.model is model
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == added_by_adapter(model)
    assert added_by_adapter(tiny_ipad()) == set()


def test_every_new_part_trains_and_the_trunk_does_not(adapted):
    base = AutoModel.from_pretrained(adapted.base)
    merged = AutoModel.from_pretrained(adapted.export).state_dict()
    assert merged.keys() == base.state_dict().keys()
    moved = {name for name, tensor in base.state_dict().items() if not torch.equal(tensor, merged[name])}
    whole = tuple(getattr(base, "lora_modules_to_save", ()))
    assert {name for name, _ in base.named_parameters() if name.startswith(whole)} <= moved
    assert not any("layer_norm1" in name or "patch_embedding" in name for name in moved)
    assert "logit_scale" not in moved


def test_the_merged_model_and_the_adapter_on_its_base_give_the_same(adapted):
    expected = outputs(adapted.model)
    doors = {
        "merged": AutoModel.from_pretrained(adapted.export),
        "PeftModel": PeftModel.from_pretrained(AutoModel.from_pretrained(adapted.base), adapted.export / "adapter"),
        "AutoModel": AutoModel.from_pretrained(adapted.export / "adapter"),
        "AutoPeftModel": AutoPeftModel.from_pretrained(adapted.export / "adapter"),
    }
    assert not torch.allclose(outputs(AutoModel.from_pretrained(adapted.base)), expected, atol=1e-3)
    for name, model in doors.items():
        torch.testing.assert_close(outputs(model), expected, atol=1e-5, rtol=0, msg=f"{name} differs")
    torch.testing.assert_close(outputs(doors["AutoPeftModel"].merge_and_unload()), expected, atol=1e-5, rtol=0)


def test_an_export_holds_safetensors_and_no_empty_card(adapted):
    folder = adapted.export / "adapter"
    assert {path.name for path in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(adapted.base)
    assert config["auto_mapping"] == {"base_model_class": "AutoModel", "parent_library": "transformers"}
    assert outputs(adapted.model).isfinite().all(), "an export leaves the adapter as it was"


def test_batch_norms_are_saved_whatever_they_are_called():
    model = tiny_asen(attention_variant="v2")
    model.global_branch.backbone.norm_of_another_kind = torch.nn.BatchNorm2d(2)
    parts = ["attribute_embedding", "global_branch.head", "local_branch.head"]
    assert model.lora_modules_to_save == [*parts, "normalization", "norm_of_another_kind", "image_norm"]
    assert set(lora_config(model, 2).modules_to_save) == set(model.lora_modules_to_save)
    model = tiny_asen(backbone_config=tiny_bare_config("swiftformer"))
    stem = "global_branch.backbone.patch_embed.patch_embedding"
    assert model.lora_modules_to_save == [*parts, f"{stem}.1", f"{stem}.4", "norm", "norm1"]


def test_grouped_convolutions_get_no_adapter():
    model = tiny_asen(backbone_config=tiny_bare_config("efficientnet", feature_stride=8))
    config = lora_config(model, 2)
    assert config.exclude_modules and all(name.endswith("depthwise_conv") for name in config.exclude_modules)
    adapted = {name.rpartition(".lora_A")[0].rpartition(".")[2] for name in added_by_adapter(add_adapter(model, 2))}
    assert {"convolution", "expand_conv", "project_conv"} <= adapted and "depthwise_conv" not in adapted


def test_without_peft_the_line_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ImportError, match=r'pip install "hf-fashion\[peft\]"'):
        add_adapter(tiny_model(), 2)


@pytest.mark.parametrize(
    ("start_from", "changes", "message"),
    [
        (None, {}, "name its folder or Hub id as `model.start_from`"),
        ("base", {"config": {"beta": 1}, "local_backbone": None}, r"remove `model\.config`"),
        ("base", {"config": {}, "local_backbone": "vit"}, r"remove `model\.local_backbone`"),
    ],
)
def test_a_recipe_adapts_a_trained_model_as_it_is(start_from, changes, message):
    check_lora(None, start_from, changes)
    with pytest.raises(ValueError, match=message):
        check_lora(4, start_from, changes)
