"""ASEN, ASEN++ and the heads they are compared with: formulas, all attributes at once, regions, backbones, saving."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hf_fashion.models.attribute.backbone_attribute import feature_map
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.region_of_interest import crop_regions, region_boxes
from tests.tiny_attribute import (
    ATTRIBUTE_NAMES,
    EMBEDDING_DIM,
    IMAGE_SIZE,
    LOCAL_IMAGE_SIZE,
    tiny_asen,
    tiny_image_processor,
    tiny_photo_inputs,
    tiny_photos,
)


ALL_HEADS = [{}, {"local": True}, {"head": "csn"}, {"head": "triplet"}, {"attention_variant": "v1"}]


def pixels(number: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(number, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(seed))


def test_the_head_is_gate_times_pooled_map_projected():
    model = tiny_asen().double()
    head, table = model.global_branch.head, model.attribute_embedding.weight
    with torch.no_grad():
        image_map, _ = feature_map(model.global_branch.backbone, pixels().double())
        outputs = model(pixels().double())
        for attribute, embeds in enumerate(table.expand(2, -1, -1).unbind(1)):
            attention, pooled = head.spatial_attention(image_map, embeds.unsqueeze(1))
            expected = head.projection(pooled * head.channel_gate(pooled, embeds.unsqueeze(1)))
            torch.testing.assert_close(outputs.global_embeds[:, [attribute]], expected, rtol=1e-10, atol=1e-12)
            torch.testing.assert_close(outputs.attention_maps[:, [attribute]], attention, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kwargs", ALL_HEADS)
def test_shapes_and_lengths(kwargs):
    model = tiny_asen(**kwargs)
    with torch.no_grad():
        outputs = model(**tiny_photo_inputs())
    width = EMBEDDING_DIM * (2 if kwargs.get("local") else 1)
    assert outputs.attribute_embeds.shape == (3, len(ATTRIBUTE_NAMES), width)
    torch.testing.assert_close(outputs.attribute_embeds.norm(dim=-1), torch.ones(3, len(ATTRIBUTE_NAMES)))
    if "head" in kwargs:
        assert outputs.attention_maps is None and outputs.boxes is None
    else:
        assert outputs.attention_maps.shape == (3, len(ATTRIBUTE_NAMES), 4, 4)
        torch.testing.assert_close(outputs.attention_maps.sum((2, 3)), torch.ones(3, len(ATTRIBUTE_NAMES)))
    assert (outputs.boxes is not None) == (outputs.local_embeds is not None) == bool(kwargs.get("local"))


@pytest.mark.parametrize("kwargs", ALL_HEADS)
def test_all_attributes_at_once_equal_each_alone(kwargs):
    model, inputs = tiny_asen(**kwargs), tiny_photo_inputs()
    with torch.no_grad():
        together = model(**inputs).attribute_embeds
        some = model(**inputs, attribute_ids=torch.tensor([[2, 0], [1, 1], [0, 2]])).attribute_embeds
        for attribute in range(len(ATTRIBUTE_NAMES)):
            alone = model.get_attribute_features(attribute_ids=torch.full((3,), attribute), **inputs)
            torch.testing.assert_close(alone, together[:, attribute : attribute + 1], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(some[0], together[0, [2, 0]], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(some[1], together[1, [1, 1]], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("attribute_ids", [None, torch.tensor([0, 2]), torch.tensor([[0, 1, 2], [2, 1, 0]])])
def test_the_backbone_runs_once_an_image(attribute_ids):
    model, seen = tiny_asen(), []
    model.global_branch.backbone.register_forward_hook(lambda module, args, output: seen.append(len(args[0])))
    model(pixels(), attribute_ids)
    assert seen == [2]


def test_the_triplet_net_ignores_the_attribute_and_csn_masks_it():
    with torch.no_grad():
        triplet = tiny_asen(head="triplet")(pixels()).global_embeds
        csn = tiny_asen(head="csn")
        embeds = csn(pixels()).global_embeds
        image_map, _ = feature_map(csn.global_branch.backbone, pixels())
        whole = csn.global_branch.head.projection(image_map.mean((2, 3)))
    assert torch.equal(triplet[:, 0], triplet[:, 2])
    masks = csn.global_branch.head.masks.weight
    torch.testing.assert_close(embeds, whole[:, None] * masks.clamp(min=0)[None])
    assert (masks < 0).any() and not torch.allclose(embeds[:, 0], embeds[:, 1])


def test_initial_weights_keep_their_scale_at_every_width():
    model = tiny_asen(attention_dim=1500, attribute_dim=400)
    assert abs(model.attribute_embedding.weight.std() - 1) < 0.1
    projection = model.global_branch.head.spatial_attention.attribute_projection
    assert abs(projection.weight.std() * (3 * 400) ** 0.5 - 1) < 0.05


def test_masks_of_csn_start_mostly_open():
    masks = tiny_asen(head="csn", embedding_dim=2000).global_branch.head.masks.weight
    assert abs(masks.mean() - 0.9) < 0.05 and abs(masks.std() - 0.7) < 0.05


def test_local_branch_sees_the_region_of_the_photo():
    # A threshold at which the flat maps of random weights give different boxes.
    model, inputs = tiny_asen(local=True, crop_threshold=0.8), tiny_photo_inputs()
    with torch.no_grad():
        outputs = model(**inputs)
        maps, sizes = outputs.attention_maps, inputs["source_sizes"]
        expected = [region_boxes(m, size.expand(3, 2), IMAGE_SIZE, 0.8) for m, size in zip(maps, sizes, strict=True)]
        assert torch.equal(outputs.boxes, torch.stack(expected)) and len(outputs.boxes.flatten(0, 1).unique(dim=0)) > 3
        for image in range(3):
            photo = inputs["source_pixel_values"][image : image + 1]
            crops = crop_regions(photo, outputs.boxes[image : image + 1], LOCAL_IMAGE_SIZE)
            region_map, _ = feature_map(model.local_branch.backbone, crops)
            for attribute, embeds in enumerate(model.attribute_embedding.weight):
                local, _ = model.local_branch.head(region_map[[attribute]], embeds[None, None])
                torch.testing.assert_close(outputs.local_embeds[image, attribute], local[0, 0], rtol=1e-3, atol=1e-5)


def test_without_a_source_the_region_is_cropped_from_the_input():
    model = tiny_asen(local=True)
    sizes = torch.full((2, 2), IMAGE_SIZE)
    with torch.no_grad():
        without = model(pixels())
        given = model(pixels(), source_pixel_values=pixels(), source_sizes=sizes)
        unpadded = model(pixels(), source_pixel_values=pixels())
    for name in ("boxes", "attribute_embeds"):
        torch.testing.assert_close(without[name], given[name])
        torch.testing.assert_close(without[name], unpadded[name])


def test_search_feature_weighs_the_cosines():
    model = tiny_asen(local=True, global_weight=0.3)
    with torch.no_grad():
        outputs = model(pixels())
    first, second = outputs.attribute_embeds
    cosine = nn.functional.cosine_similarity
    expected = 0.3 * cosine(*outputs.global_embeds, dim=-1) + 0.7 * cosine(*outputs.local_embeds, dim=-1)
    torch.testing.assert_close((first * second).sum(-1), expected)


@pytest.mark.parametrize("kwargs", [*ALL_HEADS, {"attention_variant": "v2", "embedding_dim": None}])
def test_every_parameter_learns(kwargs):
    model = tiny_asen(**kwargs).train()
    outputs = model(pixels(4))
    outputs.attribute_embeds.square().mul(torch.rand_like(outputs.attribute_embeds)).sum().backward()
    lacking = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert lacking == []


def test_no_gradient_comes_through_the_box():
    model = tiny_asen(local=True)
    model(pixels()).local_embeds.sum().backward()
    assert model.global_branch.head.spatial_attention.image_projection.weight.grad is None
    assert model.attribute_embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"attribute_ids": torch.tensor([0, 3])}, "neckline"),
        ({"attribute_ids": torch.tensor([0, -1])}, "neckline"),
        ({"attribute_ids": torch.tensor([0])}, r"\(B,\)"),
        ({"attribute_ids": torch.tensor([0.0, 1.0])}, "integers"),
        ({"attribute_ids": torch.zeros(2, 1, 1, dtype=torch.long)}, r"\(B, K\)"),
        ({"source_sizes": torch.full((2, 2), 64)}, "source_pixel_values"),
        ({"source_pixel_values": pixels(), "source_sizes": torch.full((3, 2), 64)}, "source_sizes"),
        ({"source_pixel_values": pixels(3)}, "source_pixel_values"),
    ],
)
def test_wrong_inputs_are_named(inputs, named):
    with pytest.raises(ValueError, match=named):
        tiny_asen(local=True)(pixels(), **inputs)


def test_images_must_be_square_to_be_cropped():
    with pytest.raises(ValueError, match="square"):
        tiny_asen(local=True)(torch.zeros(1, 3, 64, 96))


@pytest.mark.parametrize("kwargs", ALL_HEADS)
def test_saved_and_loaded_is_equal(kwargs, tmp_path):
    model = tiny_asen(**kwargs)
    model.save_pretrained(tmp_path)
    again = AsenModel.from_pretrained(tmp_path, device_map="auto")
    with torch.no_grad():
        torch.testing.assert_close(again(pixels()).attribute_embeds, model(pixels()).attribute_embeds, rtol=0, atol=0)


def test_half_precision():
    model = tiny_asen(local=True)
    with torch.no_grad():
        exact = model(pixels())
        half = model.bfloat16()(pixels())
    assert half.attribute_embeds.dtype == torch.bfloat16 and half.attention_maps.dtype == torch.float32
    torch.testing.assert_close(half.global_embeds.float(), exact.global_embeds, rtol=0, atol=0.05)


def test_an_exported_graph_takes_batches_of_any_size():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = tiny_asen(local=True)

        def forward(self, pixel_values, attribute_ids):
            return self.model.get_attribute_features(pixel_values, attribute_ids)

    features, batch = Features(), torch.export.Dim("batch", min=2, max=64)
    shapes = {"pixel_values": {0: batch}, "attribute_ids": {0: batch}}
    graph = torch.export.export(features, (pixels(), torch.tensor([0, 1])), dynamic_shapes=shapes).module()
    inputs = pixels(5), torch.tensor([2, 0, 1, 1, 0])
    torch.testing.assert_close(graph(*inputs), features(*inputs))


LOAD_ANYWHERE = """
import sys
from pathlib import Path
sys.modules["hf_fashion"] = None
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor
folder = Path(sys.argv[1])
model = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)
images = [Image.open(path) for path in sorted(folder.glob("*.png"))]
inputs = processor(images, do_source=True, return_tensors="pt")
with torch.no_grad():
    outputs = model(**inputs)
tensors = {**inputs, "attribute_embeds": outputs.attribute_embeds, "boxes": outputs.boxes}
save_file(tensors, folder / "there.safetensors")
"""


def test_a_saved_folder_loads_where_hf_fashion_is_not_installed(tmp_path):
    folder = tmp_path / "asen"
    model = tiny_asen(local=True)
    model.save_pretrained(folder)
    tiny_image_processor().save_pretrained(folder)
    for number, photo in enumerate(tiny_photos()):
        photo.save(folder / f"{number}.png")
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-I", "-c", LOAD_ANYWHERE, str(folder)]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    auto_map = json.loads((folder / "config.json").read_text())["auto_map"]
    assert auto_map == {"AutoConfig": "configuration_asen.AsenConfig", "AutoModel": "modeling_asen.AsenModel"}
    there, inputs = load_file(folder / "there.safetensors"), tiny_photo_inputs()
    with torch.no_grad():
        here = model(**inputs)
    for name, tensor in inputs.items():
        assert torch.equal(there[name], tensor), name
    assert torch.equal(there["boxes"], here.boxes)
    torch.testing.assert_close(there["attribute_embeds"], here.attribute_embeds, rtol=1e-5, atol=1e-6)
