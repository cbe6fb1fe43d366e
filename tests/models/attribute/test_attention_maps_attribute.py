"""Pictures of attention: the right place of the photo, a panel a round, the box that the model cut out."""

import pytest
import torch
from PIL import Image

from hf_fashion.models.attribute.attention_maps_attribute import attention_on_photo, draw_attention
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_photo_inputs, tiny_photos
from tests.tiny_ipad import tiny_ipad


def peak_at(row: int, column: int) -> torch.Tensor:
    """A map (4, 4) that looks at one cell."""
    attention = torch.zeros(4, 4)
    attention[row, column] = 1.0
    return attention


@pytest.mark.parametrize(
    ("photo_size", "row", "column", "place"),
    [
        ((40, 40), 0, 3, (5, 35)),
        ((80, 40), 0, 3, (25, 35)),  # a tall photo: the square begins at row 20
        ((40, 80), 2, 0, (25, 25)),  # a wide one: it begins at column 20
    ],
)
def test_a_peak_lies_where_the_model_saw_it(photo_size, row, column, place):
    heat = attention_on_photo(peak_at(row, column)[None, None], photo_size)
    assert heat.shape == (1, 1, *photo_size)
    assert heat[0, 0, place[0], place[1]] > 0.9 and heat.max() <= 1
    height, width = photo_size
    outside = torch.ones(photo_size, dtype=torch.bool)
    outside[(height - 40) // 2 : (height + 40) // 2, (width - 40) // 2 : (width + 40) // 2] = False
    assert (heat[0, 0][outside] == 0).all()


def test_a_constant_map_warms_nothing_and_tiny_differences_count():
    assert attention_on_photo(torch.full((1, 4, 4), 1 / 16), (20, 30)).abs().max() == 0
    assert attention_on_photo((1 / 16 + peak_at(1, 1) * 1e-6)[None], (20, 20)).max() > 0.9


def test_panels_boxes_and_warmth():
    photo = Image.new("RGB", (40, 80), "blue")
    maps = torch.stack([peak_at(0, 0), peak_at(3, 3)]).expand(1, 2, 4, 4)
    drawn = draw_attention(photo, maps, ["neckline"], boxes=torch.tensor([[0, 20, 10, 30]]))
    assert drawn.size == (120, 94)
    assert drawn.getpixel((0, 20)) == drawn.getpixel((9, 29)) == (20, 160, 60)
    assert drawn.getpixel((5, 25)) == drawn.getpixel((10, 30)) == (0, 0, 255)
    first, second = drawn.getpixel((40 + 5, 25)), drawn.getpixel((80 + 5, 25))
    assert first[0] > 150 and second == (0, 0, 255)
    assert drawn.getpixel((80 + 35, 55))[0] > 150


def test_transparent_parts_are_drawn_white_as_the_processor_sees_them():
    cut_out = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    drawn = draw_attention(cut_out, torch.full((1, 1, 4, 4), 1 / 16), ["neckline"])
    assert drawn.getpixel((10, 10)) == drawn.getpixel((30, 10)) == (255, 255, 255)


def test_boxes_of_a_shrunken_source_are_scaled_to_the_photo():
    photo = Image.new("RGB", (40, 80), "blue")
    boxes = torch.tensor([[0, 10, 5, 15]])
    drawn = draw_attention(photo, peak_at(0, 0).view(1, 1, 4, 4), ["a"], boxes, source_size=torch.tensor([40, 20]))
    assert drawn.getpixel((0, 20)) == drawn.getpixel((9, 29)) == (20, 160, 60)


def test_a_models_output_is_drawn():
    inputs, photos = tiny_photo_inputs(), tiny_photos()
    with torch.no_grad():
        outputs = tiny_ipad()(**inputs)
    for number, photo in enumerate(photos):
        drawn = draw_attention(
            photo,
            outputs.iteration_maps[number],
            ATTRIBUTE_NAMES,
            outputs.boxes[number],
            inputs["source_sizes"][number],
        )
        assert drawn.size == (photo.width * 4, (photo.height + 14) * 3)


def test_numbers_that_differ_are_refused():
    with pytest.raises(ValueError, match="names"):
        draw_attention(Image.new("RGB", (4, 4)), torch.zeros(2, 1, 4, 4), ["a"])
    with pytest.raises(ValueError, match="boxes"):
        draw_attention(Image.new("RGB", (4, 4)), torch.zeros(1, 1, 4, 4), ["a"], torch.zeros(2, 4))
