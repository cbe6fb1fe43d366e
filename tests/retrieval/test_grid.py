"""The picture of a search, pixel by pixel."""

import pytest
from PIL import Image

from hf_fashion.retrieval.grid import BACKGROUND, CAPTION_HEIGHT, MARGIN, QUERY_FRAME, draw_grid


COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
SIDE = 40


def grid(query=None, count: int = 3, columns: int = 2) -> Image.Image:
    photos = [Image.new("RGB", (30, 30), colour) for colour in COLOURS[:count]]
    results = [
        {"id": f"p{place}", "rank": place, "initial_rank": place, "score": 0.5} for place in range(1, count + 1)
    ]
    return draw_grid(query or Image.new("RGB", (20, 20), (9, 9, 9)), results, photos, columns, SIDE)


def centre(row: int, column: int) -> tuple[int, int]:
    """Of the panel in this row and column; the query's is (0, 0)."""
    x = MARGIN + column * (SIDE + MARGIN) + SIDE // 2
    return x, MARGIN + row * (SIDE + CAPTION_HEIGHT + MARGIN) + SIDE // 2


def captions(picture: Image.Image, row: int, column: int) -> set:
    """Colours below a panel."""
    x, y = centre(row, column)
    box = (x - SIDE // 2, y + SIDE // 2 + 1, x + SIDE // 2, y + SIDE // 2 + CAPTION_HEIGHT)
    return {colour for _, colour in picture.crop(box).getcolors(10_000)}


def test_the_query_stands_left_and_the_results_follow_row_by_row():
    picture = grid()
    assert picture.size == (MARGIN + 3 * (SIDE + MARGIN), MARGIN + 2 * (SIDE + CAPTION_HEIGHT + MARGIN))
    assert picture.getpixel(centre(0, 0)) == (9, 9, 9)
    assert [picture.getpixel(centre(*place)) for place in ((0, 1), (0, 2), (1, 1))] == COLOURS
    assert picture.getpixel(centre(1, 2)) == (255, 255, 255)
    assert picture.getpixel((MARGIN - 2, MARGIN + 5)) == QUERY_FRAME
    assert all((0, 0, 0) in captions(picture, *place) for place in ((0, 0), (0, 1), (0, 2), (1, 1)))
    assert captions(picture, 1, 2) == {(255, 255, 255)}


def test_a_text_is_written_where_a_photo_would_stand():
    picture = grid("a red dress")
    panel = picture.crop((MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE))
    assert BACKGROUND == "white" and {(0, 0, 0), (255, 255, 255)} <= {colour for _, colour in panel.getcolors(10_000)}


def test_photos_keep_their_proportions():
    result = {"id": "p1", "rank": 1, "initial_rank": 4, "score": 0.5}
    picture = draw_grid("a", [result], [Image.new("RGB", (10, 40), COLOURS[0])], side=SIDE)
    x, y = centre(0, 1)
    assert picture.getpixel((x, y - SIDE // 2 + 1)) == COLOURS[0]
    assert picture.getpixel((x - SIDE // 2 + 2, y)) == (255, 255, 255)


def test_nothing_found_is_the_query_alone():
    picture = grid(count=0)
    assert picture.width == MARGIN + SIDE + MARGIN and picture.getpixel(centre(0, 0)) == (9, 9, 9)


def test_each_result_needs_a_photo():
    result = {"id": "p1", "rank": 1, "initial_rank": 1, "score": 0.5}
    with pytest.raises(ValueError, match="as many as `results`, got 0 and 1"):
        draw_grid("a", [result], [])
