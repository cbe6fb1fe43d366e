"""The picture of a search, pixel by pixel."""

import pytest
from PIL import Image

from hf_fashion.reports.grid import CAPTION_HEIGHT, MARGIN, QUERY_FRAME, draw_grid


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


def is_written(picture: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether there is dark ink on white ground."""
    darkest, brightest = picture.crop(box).convert("L").getextrema()
    return darkest < 100 and brightest == 255


def below(row: int, column: int) -> tuple[int, int, int, int]:
    """The place of a panel's caption."""
    x, y = centre(row, column)
    return x - SIDE // 2, y + SIDE // 2 + 3, x + SIDE // 2, y + SIDE // 2 + CAPTION_HEIGHT


def test_a_product_without_a_photo_has_an_empty_panel():
    results = [{"id": "p1", "rank": 1, "initial_rank": 1, "score": 0.5}]
    picture = draw_grid("a dress", results, [None], 2, SIDE)
    assert picture.getpixel(centre(0, 1)) == (255, 255, 255) and is_written(picture, below(0, 1))


def test_the_query_stands_left_and_the_results_follow_row_by_row():
    picture = grid()
    assert picture.size == (MARGIN + 3 * (SIDE + MARGIN), MARGIN + 2 * (SIDE + CAPTION_HEIGHT + MARGIN))
    assert picture.getpixel(centre(0, 0)) == (9, 9, 9)
    assert [picture.getpixel(centre(*place)) for place in ((0, 1), (0, 2), (1, 1))] == COLOURS
    assert picture.getpixel(centre(1, 2)) == (255, 255, 255)
    assert picture.getpixel((MARGIN - 2, MARGIN + 5)) == QUERY_FRAME
    assert all(is_written(picture, below(*place)) for place in ((0, 0), (0, 1), (0, 2), (1, 1)))
    assert not is_written(picture, below(1, 2))


def test_a_text_is_written_where_a_photo_would_stand():
    assert is_written(grid("a red dress"), (MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE))


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


def test_control_characters_of_an_id_are_drawn_as_escapes():
    def drawn(name: str) -> bytes:
        result = {"id": name, "rank": 1, "initial_rank": 1, "score": 0.5}
        return draw_grid("a", [result], [Image.new("RGB", (9, 9))]).tobytes()

    assert drawn("a\u202eb") == drawn(r"a\u202eb") != drawn("ab")
    assert drawn("a\nb") == drawn("a b")


def test_of_a_long_name_the_end_is_shown():
    """Photos of one folder have the beginning in common."""
    photos, names = [Image.new("RGB", (9, 9))] * 3, ["photos/coats/1.jpg", "photos/coats/2.jpg", "more/coats/2.jpg"]
    drawn = [
        draw_grid("a", [{"id": name, "rank": 1, "initial_rank": 1, "score": 0.5}], photos[:1], side=60).tobytes()
        for name in names
    ]
    assert drawn[0] != drawn[1] == drawn[2]
