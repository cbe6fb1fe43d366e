"""Parts of attribute-specific models as ONNX files: the crop is inside, batch, attributes and photos of every size."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from hf_fashion import E2Model, E2Processor
from hf_fashion.hub.onnx_parts import onnx_parts
from tests.hub.onnx_runs import exported, run
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.tiny_attribute import IMAGE_SIZE, tiny_asen, tiny_photo_inputs
from tests.tiny_e2 import tiny_images, tiny_model
from tests.tiny_feature_reasoning import tiny_feature_reasoning
from tests.tiny_ipad import RPF, tiny_dinov2_fields, tiny_ipad
from tests.tower_folders import SIGLIP_LENGTH, towers_of


def small_ipad() -> PreTrainedModel:
    """Return an IPAD of a ResNet and a DINOv2, whose regions have not the size of its images."""
    return tiny_ipad(num_iterations=2, vit_config=tiny_dinov2_fields(num_hidden_layers=1), region_size=24)


def small_asen() -> PreTrainedModel:
    """Return an ASEN++ of two models without a Backbone class."""
    whole = tiny_bare_config("mobilenet_v2", feature_stride=16)
    return tiny_asen(local=True, backbone_config=whole, local_backbone_config=tiny_bare_config("vit"))


@pytest.fixture(scope="module")
def ipad(tmp_path_factory) -> Path:
    return exported(small_ipad(), tmp_path_factory.mktemp("ipad")) / "model.onnx"


@pytest.fixture(scope="module")
def asen(tmp_path_factory) -> Path:
    return exported(small_asen(), tmp_path_factory.mktemp("asen")) / "model.onnx"


def photos(batch_size: int, attribute_ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """Photos of three shapes, padded to the largest of the batch."""
    rows = torch.arange(batch_size) % 3
    inputs = {name: tensor[rows] for name, tensor in tiny_photo_inputs().items()}
    height, width = inputs["source_sizes"].amax(0).tolist()
    inputs["source_pixel_values"] = inputs["source_pixel_values"][..., :height, :width].contiguous()
    return inputs | {"attribute_ids": attribute_ids.expand(batch_size, -1).contiguous()}


@pytest.mark.parametrize(("batch_size", "attribute_ids"), [(1, [2]), (2, [0, 1, 2]), (5, [1, 0])])
@pytest.mark.parametrize("family", ["ipad", "asen"])
def test_the_crop_is_inside(family, batch_size, attribute_ids, request):
    inputs = photos(batch_size, torch.tensor(attribute_ids))
    found = run(request.getfixturevalue(family), inputs)
    with torch.no_grad():
        expected = {"ipad": small_ipad, "asen": small_asen}[family]()(**inputs)
    assert found.keys() == {"attribute_embeds", "attention_maps", "boxes"}
    assert torch.equal(found["boxes"], expected.boxes)
    for name in ("attribute_embeds", "attention_maps"):
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-5)


def test_without_a_source_the_photo_itself_is_given(ipad):
    pixels = tiny_photo_inputs()["pixel_values"]
    ids = torch.tensor([[0, 2]]).expand(3, -1).contiguous()
    own = {"source_pixel_values": pixels, "source_sizes": torch.full((3, 2), IMAGE_SIZE)}
    found = run(ipad, {"pixel_values": pixels, "attribute_ids": ids} | own)
    with torch.no_grad():
        expected = small_ipad()(pixels, ids)
    torch.testing.assert_close(found["attribute_embeds"], expected.attribute_embeds, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "inputs", "outputs"),
    [
        (lambda: tiny_ipad(**RPF), 4, ("attribute_embeds", "attention_maps", "boxes")),
        (lambda: tiny_ipad(use_semantic_branch=False), 2, ("attribute_embeds", "attention_maps")),
        (tiny_asen, 2, ("attribute_embeds", "attention_maps")),
        (lambda: tiny_asen(head="csn"), 2, ("attribute_embeds",)),
        (lambda: tiny_asen(head="triplet"), 2, ("attribute_embeds",)),
    ],
)
def test_a_part_takes_and_returns_what_the_model_has(model, inputs, outputs):
    (part,) = onnx_parts(model())
    assert (part.name, part.outputs) == ("model", outputs)
    assert all(len(example) == inputs and example.keys() == part.dynamic.keys() for example in part.examples)


@pytest.mark.parametrize("model", [tiny_model, small_ipad, tiny_feature_reasoning])
def test_examples_are_batches_of_several_sizes_that_the_module_takes(model):
    for part in onnx_parts(model()):
        sizes = [len(next(iter(example.values()))) for example in part.examples]
        assert len(set(sizes)) == 3 and 1 in sizes and sizes[0] > 1
        for example, size in zip(part.examples, sizes, strict=True):
            outputs = part.module(**example)
            assert len(outputs) == len(part.outputs) and all(len(output) == size for output in outputs)


@pytest.mark.parametrize("towers", ["dinov2", "siglip"])
def test_e2_on_other_towers_gives_its_two_files(towers, tmp_path):
    starts = towers_of(towers, tmp_path)
    model = E2Model.from_towers(*starts, tag_entities=["brand"], fusion_layers=[2], projection_dim=16)
    processor = E2Processor.from_towers(*starts, tag_entities=["brand"])
    processor.save_pretrained(tmp_path / "e2")  # its photos are smaller than those that the DINOv2 was trained with
    files = exported(model, tmp_path / "e2")
    for number in (2, 3):
        texts = [f"red dress {row}" for row in range(number)]
        inputs = processor(images=tiny_images(number), text=texts, padding=True, return_tensors="pt")
        tokens = {name: values for name, values in inputs.items() if name != "pixel_values"}
        assert towers != "siglip" or tokens["input_ids"].shape == (number, SIGLIP_LENGTH)
        with torch.no_grad():
            expected = model(**inputs)
        found = run(files / "text_model.onnx", tokens)
        found |= run(files / "vision_model.onnx", {"pixel_values": inputs["pixel_values"]})
        for name in ("image_embeds", "region_embeds", "text_embeds"):
            torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-5)


def test_without_tag_entities_there_are_no_regions():
    vision, _ = onnx_parts(tiny_model(tag_entities=[], fusion_layers=[]))
    assert vision.outputs == ("image_embeds",) and len(vision.module(**vision.examples[0])) == 1
