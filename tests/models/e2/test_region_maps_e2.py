"""Heat maps: the right place, the right size, drawn with names."""

import pytest
import torch
from PIL import Image

from hf_fashion.evaluation.box_geometry import boxes_in_model_frame
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.photo_geometry_e2 import model_frame
from hf_fashion.models.e2.region_maps_e2 import draw_region_maps, patch_grid, region_maps
from hf_fashion.models.e2.selection_e2 import E2Selection
from tests.tiny_e2 import TAG_ENTITIES, tiny_images, tiny_inputs, tiny_model, tiny_processor


def selection(patch: int, num_patches: int = 16) -> E2Selection:
    """Two entities of one token: the first looks at `patch`, the second everywhere."""
    scores = torch.full((1, 2, num_patches), 1 / num_patches)
    scores[0, 0] = torch.nn.functional.one_hot(torch.tensor(patch), num_patches).float()
    return E2Selection(scores=scores, indices=scores.argmax(-1))


SQUASHED = E2ImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
CROPPED = E2ImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
SMALL_CROP = E2ImageProcessorPil(size={"shortest_edge": 80}, crop_size={"height": 48, "width": 64})
WIDE = E2ImageProcessorPil(size={"height": 16, "width": 64}, do_center_crop=False)
UNCROPPED = E2ImageProcessorPil(size={"shortest_edge": 64}, do_center_crop=False)


@pytest.mark.parametrize(("patch", "row", "column"), [(0, 0, 0), (3, 0, 3), (6, 1, 2), (15, 3, 3)])
def test_the_peak_lies_on_the_patch(patch, row, column):
    (maps,) = region_maps([selection(patch)], [(40, 80)], 2, SQUASHED)
    assert maps.shape == (2, 40, 80)
    peak = divmod(int(maps[0].argmax()), 80)
    assert peak[0] // 10 == row and peak[1] // 20 == column


@pytest.mark.parametrize("size", [(64, 64), (600, 300), (300, 900), (301, 447), (40, 50)])
@pytest.mark.parametrize(
    ("image_processor", "grid"),
    [(SQUASHED, (4, 4)), (CROPPED, (4, 4)), (SMALL_CROP, (6, 8)), (WIDE, (4, 16)), (WIDE, (2, 8))],
)
def test_the_peak_lies_in_the_box_of_the_patch_by_the_geometry_of_true_boxes(image_processor, grid, size):
    """The patch is a box in the model's input; `boxes_in_model_frame` carries the pixels of the peak there."""
    width, height = size
    rows, columns = grid
    seen = model_frame(width, height, image_processor)
    for patch in range(0, rows * columns, 5):
        (maps,) = region_maps([selection(patch, rows * columns)], [(height, width)], 2, image_processor)
        y, x = divmod(int(maps[0].argmax()), width)
        pixel = boxes_in_model_frame(torch.tensor([[x, y, x + 1, y + 1]]), [size], image_processor)[0]
        across, down = (pixel[0] + pixel[2]) / 2 * columns / seen.width, (pixel[1] + pixel[3]) / 2 * rows / seen.height
        assert (int(down), int(across)) == divmod(patch, columns)


def test_what_the_crop_cut_off_has_no_heat():
    everywhere = E2Selection(scores=torch.linspace(1, 2, 32).view(1, 2, 16))
    (maps,) = region_maps([everywhere], [(300, 900)], 2, CROPPED)
    assert (maps[..., :300] == 0).all() and (maps[..., 600:] == 0).all()
    assert maps[:, 150:, 300:600].min() > 0.4


def test_the_grid_is_that_of_a_photo_that_keeps_its_shape():
    (maps,) = region_maps([selection(15, 64)], [(40, 160)], 2, UNCROPPED)  # 64x256 pixels, 4x16 patches
    assert divmod(int(maps[0].argmax()), 160)[1] > 145 and maps[0, 20:].max() == 0


@pytest.mark.parametrize(
    ("number", "height", "width", "expected"),
    [(64, 64, 64, (8, 8, 8)), (64, 64, 256, (4, 16, 16)), (49, 230, 230, (7, 7, 32)), (14, 16, 56, (2, 7, 8))],
)
def test_the_grid_of_patches(number, height, width, expected):
    assert patch_grid(number, height, width) == expected


def test_scaled_to_one_and_flat_where_nothing_stands_out():
    (maps,) = region_maps([selection(6)], [(16, 16)], 2, SQUASHED)
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


def test_transparent_parts_are_drawn_white_as_the_processor_sees_them():
    cut_out = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    drawn = draw_region_maps(cut_out, torch.zeros(1, 10, 10), ["brand"])
    assert drawn.getpixel((5, 5)) == drawn.getpixel((15, 5)) == (255, 255, 255)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="fusion_layers"):
        region_maps([], [(4, 4)], 1, SQUASHED)
    with pytest.raises(ValueError, match="15 patches do not fill the 64x64 pixels"):
        region_maps([selection(0, num_patches=15)], [(4, 4)], 2, SQUASHED)
    with pytest.raises(ValueError, match="maps"):
        draw_region_maps(Image.new("RGB", (4, 4)), torch.zeros(1, 4, 5), ["brand"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: maps of a model that runs on one")
def test_maps_on_a_device_are_drawn():
    maps = torch.ones(1, 4, 4, device="cuda")
    assert draw_region_maps(Image.new("RGB", (4, 4)), maps, ["brand"]).size == (8, 18)
