"""Examples for a report: the right ones are marked, and boxes stand where the photo has them."""

import re

import pytest
import torch
from PIL import Image

from hf_fashion.reports.showcase import (
    BOX_COLOUR,
    Gallery,
    outline_boxes,
    photos_by_tag,
    photos_by_title,
    region_strips,
    titles_by_photo,
    top_k,
)


@pytest.fixture
def gallery():
    """Four products; the titles of the first two lie nearest to each other's photos."""
    photos = [Image.new("RGB", (8, 8), (60 * number, 0, 0)) for number in range(4)]
    return Gallery(photos, ["a", "b", "c", "d"], torch.eye(4), torch.eye(4)[[1, 0, 2, 3]] + 0.1 * torch.eye(4))


def classes(html: str, tag: str) -> list[str]:
    return re.findall(rf'<{tag} class="(\w*)"', html)


def test_top_k_is_in_order():
    candidates = torch.tensor([[0.0], [3.0], [2.0], [-1.0]])
    assert top_k(torch.tensor([[1.0], [-1.0]]), candidates, 2) == [[1, 2], [3, 0]]


def test_photos_by_title_frames_the_own_photo(gallery):
    html = photos_by_title(gallery, [0, 2], k=2)
    assert classes(html, "figure") == ["", "right", "right", ""]
    assert re.findall(r'alt="(\w)"', html)[:2] == ["b", "a"]
    assert re.findall(r'class="query">(\w)<', html) == ["a", "c"]


def test_titles_by_photo_marks_the_own_title(gallery):
    html = titles_by_photo(gallery, [1, 3], k=2)
    assert classes(html, "li") == ["wrong", "right", "right", "wrong"]


def test_photos_by_tag_frames_every_photo_that_has_it(gallery):
    embeds = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    html = photos_by_tag(gallery, ["red", "blue"], torch.eye(2), embeds, ["red", "red", None, "blue"], k=2)
    assert classes(html, "figure") == ["right", "right", "", "right"]


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
