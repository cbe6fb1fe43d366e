"""Heat maps: the right place, the right size, drawn with names."""

import pytest
import torch
from PIL import Image

from hf_fashion.models.e2.modeling_e2 import E2Selection
from hf_fashion.models.e2.region_maps_e2 import draw_region_maps, region_maps
from tests.tiny_e2 import TAG_ENTITIES, tiny_images, tiny_inputs, tiny_model, tiny_processor


def selection(patch: int, num_patches: int = 16) -> E2Selection:
    """Two entities of one token: the first looks at `patch`, the second everywhere."""
    scores = torch.full((1, 2, num_patches), 1 / num_patches)
    scores[0, 0] = torch.nn.functional.one_hot(torch.tensor(patch), num_patches).float()
    return E2Selection(scores=scores, indices=scores.argmax(-1))


@pytest.mark.parametrize(("patch", "row", "column"), [(0, 0, 0), (3, 0, 3), (6, 1, 2), (15, 3, 3)])
def test_the_peak_lies_on_the_patch(patch, row, column):
    (maps,) = region_maps([selection(patch)], [(40, 80)], num_entities=2)
    assert maps.shape == (2, 40, 80)
    peak = divmod(int(maps[0].argmax()), 80)
    assert peak[0] // 10 == row and peak[1] // 20 == column


def test_scaled_to_one_and_flat_where_nothing_stands_out():
    (maps,) = region_maps([selection(6)], [(16, 16)], num_entities=2)
    assert maps[0].min() == 0 and 0.5 < maps[0].max() <= 1
    assert maps[1].abs().max() == 0


def test_the_processor_makes_and_draws_them():
    model, processor = tiny_model(), tiny_processor()
    outputs = model(pixel_values=tiny_inputs()["pixel_values"])
    image = tiny_images(1)[0]
    maps = processor.post_process_region_maps(outputs, [(image.height, image.width)] * 2)
    drawn = processor.draw_region_maps(image, maps[0])
    assert drawn.size == (image.width * (1 + len(TAG_ENTITIES)), image.height + 14)


def test_drawing_reddens_where_the_map_is_high():
    maps = torch.zeros(1, 10, 10)
    maps[0, :, 5:] = 1
    drawn = draw_region_maps(Image.new("RGB", (10, 10), "blue"), maps, ["brand"])
    assert drawn.getpixel((12, 5)) == (0, 0, 255) and drawn.getpixel((18, 5))[0] > 150


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="fusion_layers"):
        region_maps([], [(4, 4)], 1)
    with pytest.raises(ValueError, match="square grid"):
        region_maps([selection(0, num_patches=15)], [(4, 4)], 2)
    with pytest.raises(ValueError, match="maps"):
        draw_region_maps(Image.new("RGB", (4, 4)), torch.zeros(1, 4, 5), ["brand"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: maps of a model that runs on one")
def test_maps_on_a_device_are_drawn():
    maps = torch.ones(1, 4, 4, device="cuda")
    assert draw_region_maps(Image.new("RGB", (4, 4)), maps, ["brand"]).size == (8, 18)
