"""Examples for a report: which results are shown, in which order, and which of them are marked as right."""

import re

import pytest
import torch
from PIL import Image

from hf_fashion.reports.search_examples import (
    ShowcaseData,
    photos_by_attribute,
    photos_by_tag,
    photos_by_title,
    titles_by_photo,
    top_k,
)


PHOTOS = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(5)]
ANGLES = torch.tensor([0.0, 0.1, 0.2, 1.5, 1.6])
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)


@pytest.fixture
def products():
    """Four products; the titles of the first two are most similar to each other's photos."""
    photos = [Image.new("RGB", (8, 8), (60 * number, 0, 0)) for number in range(4)]
    return ShowcaseData(photos, ["a", "b", "c", "d"], torch.eye(4), torch.eye(4)[[1, 0, 2, 3]] + 0.1 * torch.eye(4))


def classes(html: str, tag: str) -> list[str]:
    return re.findall(rf'<{tag} class="(\w*)"', html)


def test_top_k_is_in_order():
    candidates = torch.tensor([[0.0], [3.0], [2.0], [-1.0]])
    assert top_k(torch.tensor([[1.0], [-1.0]]), candidates, 2) == [[1, 2], [3, 0]]


def test_photos_by_title_frames_the_own_photo(products):
    html = photos_by_title(products, [0, 2], k=2)
    assert classes(html, "figure") == ["", "right", "right", ""]
    assert re.findall(r'alt="(\w)"', html)[:2] == ["b", "a"]
    assert re.findall(r'class="query">(\w)<', html) == ["a", "c"]


def test_titles_by_photo_marks_the_own_title(products):
    html = titles_by_photo(products, [1, 3], k=2)
    assert classes(html, "li") == ["wrong", "right", "right", "wrong"]


def test_photos_by_tag_frames_every_photo_that_has_it(products):
    embeds = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    html = photos_by_tag(products, ["red", "blue"], torch.eye(2), embeds, ["red", "red", None, "blue"], k=2)
    assert classes(html, "figure") == ["right", "right", "", "right"]


def test_the_most_similar_others_are_shown_and_the_same_value_is_framed():
    html = photos_by_attribute(PHOTOS, FEATURES, ["v", "v", "round", "v", None], rows=[0], k=3)
    assert html.count("<img") == 4 and "query: v" in html
    captions = [part.split("<")[0] for part in html.split("<figcaption>")[1:]]
    assert captions == ["query: v", "v", "round", "v"]  # by angle; the query itself is not its own result
    assert html.count('class="right"') == 2


def test_a_photo_without_the_attribute_is_no_query():
    html = photos_by_attribute(PHOTOS, FEATURES, ["v", "v", "round", "v", None], rows=[4, 3], k=1)
    assert html.count("query:") == 1
