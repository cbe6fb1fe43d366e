"""The base of attribute-specific models: ids, regions, initial weights, pretrained backbones."""

from functools import partial

import pytest
import torch
from accelerate import cpu_offload, infer_auto_device_map
from torch import nn
from torch._subclasses import FakeTensorMode

from hf_fashion.models.attribute.modeling_attribute import AttributePreTrainedModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel, fuse_branches
from hf_fashion.models.attribute.region_of_interest import crop_regions, region_boxes
from tests.tiny_attribute import ATTRIBUTE_NAMES, IMAGE_SIZE, tiny_asen, tiny_asen_config, tiny_photo_inputs
from tests.tiny_ipad import RPF, tiny_ipad


PIXELS = torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE)


@pytest.mark.parametrize(
    ("ids", "resolved"),
    [
        (None, [[0, 1, 2], [0, 1, 2]]),
        (torch.tensor([2, 0]), [[2], [0]]),
        (torch.tensor([[2, 0], [1, 1]], dtype=torch.int32), [[2, 0], [1, 1]]),
    ],
)
def test_ids_are_resolved_image_by_image(ids, resolved):
    found = tiny_asen().resolve_attribute_ids(ids, PIXELS)
    assert found.tolist() == resolved and found.dtype == torch.long


@pytest.mark.parametrize(
    "ids", [torch.tensor([0]), torch.tensor([0.0, 1.0]), torch.zeros(2, 1, 1, dtype=torch.long), torch.tensor([0, 3])]
)
def test_wrong_ids_are_named(ids):
    with pytest.raises(ValueError, match="attribute_ids"):
        tiny_asen().resolve_attribute_ids(ids, PIXELS)
    with pytest.raises(ValueError, match=ATTRIBUTE_NAMES[2]):
        tiny_asen().resolve_attribute_ids(torch.tensor([-1, 0]), PIXELS)


@pytest.mark.parametrize("ids", [[0, 1], "a neckline", 2])
def test_ids_that_are_no_tensor_are_named(ids):
    with pytest.raises(
        ValueError, match=rf"`attribute_ids` must be a tensor of integers.*got .*, a {type(ids).__name__}"
    ):
        tiny_asen().resolve_attribute_ids(ids, PIXELS)


def test_regions_equal_those_of_one_image_and_attribute_at_a_time():
    model, inputs = tiny_asen(), tiny_photo_inputs()
    sources, sizes = inputs["source_pixel_values"], inputs["source_sizes"]
    maps = torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(0)) ** 4
    boxes, crops = model.regions_of_interest(maps, 8, inputs["pixel_values"], sources, sizes)
    assert boxes.shape == (3, 2, 4) and crops.shape == (6, 3, 8, 8)
    for image in range(3):
        for attribute in range(2):
            one = maps[image, attribute, None]
            box = region_boxes(one, sizes[image, None], IMAGE_SIZE, model.config.crop_threshold)
            assert boxes[image, attribute].tolist() == box[0].tolist()
            crop = crop_regions(sources[image, None], box[None], 8)[0]
            torch.testing.assert_close(crops[image * 2 + attribute], crop, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("edge", [64, 300])
def test_a_published_box_that_reaches_beyond_its_photo_sees_zeros_there(edge):
    """Whatever else is in the batch: a photo is padded with zeros at right and bottom."""
    model = tiny_asen(published_boxes=True)
    maps = torch.rand(3000, 1, 7, 7, generator=torch.Generator().manual_seed(0)) ** 9
    boxes = region_boxes(maps[:, 0], torch.full((3000, 2), edge), IMAGE_SIZE, published=True)
    chosen = maps[(boxes[:, 2:] > edge).any(dim=1)][:3]
    inputs = torch.zeros(len(chosen), 3, IMAGE_SIZE, IMAGE_SIZE), torch.ones(len(chosen), 3, edge, edge)
    boxes, crops = model.regions_of_interest(chosen, 32, *inputs)
    padded = nn.functional.pad(inputs[1], (0, 40, 0, 40))
    _, among_larger = model.regions_of_interest(chosen, 32, inputs[0], padded, torch.full((len(chosen), 2), edge))
    assert len(chosen) and crops.isfinite().all() and crops.min() < 0.9 and boxes.max() > edge
    torch.testing.assert_close(crops, among_larger)


def test_sizes_without_their_photos_are_refused():
    inputs = tiny_photo_inputs()
    with pytest.raises(ValueError, match=r"`source_sizes` must come with `source_pixel_values`"):
        tiny_asen().regions_of_interest(
            torch.rand(3, 1, 4, 4), 8, inputs["pixel_values"], source_sizes=inputs["source_sizes"]
        )


@pytest.mark.parametrize("size", [[200, 70], [70, 200], [0, 70]])
def test_sizes_beyond_the_padded_photos_are_refused(size):
    inputs = tiny_photo_inputs()  # three photos, padded to 100 x 120
    inputs["source_sizes"][1] = torch.tensor(size)
    with pytest.raises(ValueError, match=r"within the padded photos, 1\.\.100 and 1\.\.120; got"):
        tiny_asen(local=True)(**inputs)


def test_attributes_start_apart_and_layers_at_torchs_scale():
    model = AttributePreTrainedModel(tiny_asen_config())
    table, layer = nn.Embedding(200, 100), nn.Linear(100, 50)
    for module in (table, layer):
        nn.init.zeros_(module.weight)
        model._init_weights(module)
    assert abs(table.weight.std().item() - 1) < 0.05
    assert 0.09 < layer.weight.abs().max() <= 0.1  # 1 / sqrt(100)


def test_a_model_must_name_its_backbone():
    base = AttributePreTrainedModel(tiny_asen_config())
    assert base.region_backbone is None
    with pytest.raises(NotImplementedError, match="AttributePreTrainedModel"):
        base.image_backbone  # noqa: B018


def test_pretrained_backbones_fill_a_model():
    source = tiny_asen(local=True, seed=1)
    model = type(source).from_backbones(source.config, source.image_backbone, source.region_backbone)
    assert not model.training
    for part in ("image_backbone", "region_backbone"):
        wanted, found = getattr(source, part).state_dict(), getattr(model, part).state_dict()
        assert all(torch.equal(tensor, found[name]) for name, tensor in wanted.items())


def test_a_backbone_for_a_branch_that_is_not_there_is_refused():
    source = tiny_asen()
    with pytest.raises(ValueError, match="local_backbone"):
        type(source).from_backbones(source.config, source.image_backbone, source.image_backbone)


@pytest.mark.parametrize("make", [tiny_asen, partial(tiny_asen, head="csn"), tiny_ipad])
def test_offloaded_weights_are_fetched_by_calling_their_layers(make):
    inputs = tiny_photo_inputs()
    expected = make()(**inputs).attribute_embeds
    offloaded = cpu_offload(make(), execution_device=torch.device("cpu"), offload_buffers=True)
    torch.testing.assert_close(offloaded(**inputs).attribute_embeds, expected)


SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64, "patch_size": 16}
DINOV2 = {"model_type": "dinov2", "out_features": ["stage2"], **SIZES}


@pytest.mark.parametrize(
    ("make", "layers"),
    [
        (tiny_ipad, {"ResNetConvLayer", "ViTLayer", "IpadPositioning", "IpadSemantics"}),
        (partial(tiny_ipad, **RPF, use_semantic_branch=False), {"ResNetConvLayer", "IpadPositioning"}),
        (partial(tiny_ipad, backbone_config=DINOV2), {"Dinov2Layer", "ViTLayer", "IpadPositioning"}),
        (partial(tiny_asen, local=True), {"ResNetConvLayer", "AsenHead"}),
        (partial(tiny_asen, backbone_config=DINOV2, head="csn"), {"Dinov2Layer", "PooledHead"}),
    ],
)
def test_layers_that_stay_on_one_device_are_those_of_the_backbones(make, layers):
    model = make()
    assert layers <= model._no_split_modules <= {type(module).__name__ for module in model.modules()}


@pytest.mark.parametrize("fuse", [partial(fuse_branches, beta=0.3), tiny_asen(local=True)._search_feature])
def test_branches_on_two_devices_are_joined_on_the_first(fuse):
    with FakeTensorMode():  # tensors without data, which may be on devices that are not there
        first, second = (torch.ones(2, 3, 8, device=f"cuda:{number}") for number in range(2))
        assert fuse(first, second).device == first.device


def test_the_semantic_branch_of_an_ipad_is_on_one_device():
    model = tiny_ipad()
    size = sum(weight.nbytes for weight in model.parameters())
    devices = infer_auto_device_map(model, {0: size, "cpu": 2 * size}, list(model._no_split_modules))
    assert len(set(devices.values())) == 2
    assert [name for name in devices if name.startswith("semantics")] == ["semantics"]


@pytest.mark.parametrize("dinov2", [False, True])
@pytest.mark.parametrize("make", [tiny_ipad, tiny_asen, partial(tiny_asen, local=True)])
def test_attention_of_backbones_that_have_it_is_switched_back_and_forth(make, dinov2):
    model = make(backbone_config=DINOV2) if dinov2 else make()
    able = [part for part in (model.image_backbone, model.region_backbone) if part and part._supports_sdpa]
    assert len(able) == dinov2 + (make is tiny_ipad)
    for implementation in ("eager", "sdpa", "eager"):
        model.set_attn_implementation(implementation)
        assert {part.config._attn_implementation for part in (model, *able)} == {implementation}


def test_a_field_that_is_changed_while_loading_is_checked(tmp_path):
    tiny_ipad().save_pretrained(tmp_path)
    assert IpadModel.from_pretrained(tmp_path, suppression="none").config.suppression == "none"
    with pytest.raises(ValueError, match=r'`suppression` must be .* got "adaptiv"'):
        IpadModel.from_pretrained(tmp_path, suppression="adaptiv")
