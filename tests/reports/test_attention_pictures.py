"""Pictures of where models look: a panel for each entity or attribute, and true boxes at their places."""

import pytest
from PIL import Image

from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.reports.attention_pictures import BOX_COLOUR, attention_sheets, outline_boxes, region_strips
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_ipad import tiny_ipad


def test_boxes_are_outlined_in_their_panel():
    strip = Image.new("RGB", (30, 10), "white")
    outline_boxes(strip, [None, [1, 2, 4, 5]], side=10, scale=2.0)
    inked = {(x, y) for x in range(30) for y in range(10) if strip.getpixel((x, y)) == BOX_COLOUR}
    assert {min(inked), max(inked)} == {(22, 4), (27, 9)}


def test_a_strip_has_a_panel_for_the_photo_and_each_entity(e2, processor, corpus):
    strips = region_strips(e2, processor, corpus["validation"], [0, 3], side=40)
    assert [strip.size for strip in strips] == [(120, 54)] * 2
    box = corpus["validation"][3]["boxes"]["season"]
    corner = (80 + round(box[0] * 40 / 32), round(box[1] * 40 / 32))
    assert BOX_COLOUR in {strips[1].getpixel((corner[0] + x, corner[1] + y)) for x in (-1, 0, 1) for y in (-1, 0, 1)}
    assert not e2.training


@pytest.mark.parametrize("make", [tiny_asen, tiny_ipad])
def test_every_photo_gets_a_sheet_with_a_row_an_attribute(make):
    model, processor = make().eval(), tiny_image_processor()
    split = make_generated_corpus(train_rows=1, validation_rows=3, image_size=32)["validation"]
    sheets = attention_sheets(model, processor, split, [0, 2], side=40)
    names = model.config.attribute_names
    assert len(sheets) == 2 and sheets[0].height >= 40 * len(names) and sheets[0].width % 40 == 0
    assert list(sheets[0].getdata()) != list(sheets[1].getdata())
