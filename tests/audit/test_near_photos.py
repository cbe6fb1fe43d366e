"""Near-duplicate photos against a plain loop."""

from itertools import combinations

import pytest
import torch

from hf_fashion.audit import near_photos as module
from hf_fashion.audit.near_photos import MAX_BITS, hash_pairs, near_photos, picture_differences
from hf_fashion.audit.signatures import PhotoSignatures


def signatures(pictures, hashes=None, rows=None, files=None) -> PhotoSignatures:
    number = len(pictures)
    hashes = torch.zeros(number, 64, dtype=torch.bool) if hashes is None else hashes
    files = files or [bytes([place]) for place in range(number)]
    rows = rows or list(range(number))
    views = [rows[:place].count(row) for place, row in enumerate(rows)]
    return PhotoSignatures(rows, views, files, hashes, pictures, {})


def random_pictures(number: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (number, 16, 16, 3), dtype=torch.uint8, generator=generator)


def found_rows(*arguments) -> list[tuple[int, ...]]:
    return [group.rows for group in near_photos(*arguments, progress=False)]


@pytest.mark.parametrize("at_once", [1, 40, 2**23])
def test_pairs_of_hashes_are_those_of_a_loop(monkeypatch, at_once):
    monkeypatch.setattr(module, "SCORES_AT_ONCE", at_once)
    hashes = torch.rand(30, 64, generator=torch.Generator().manual_seed(0)) < 0.08
    expected = {
        (i, j) for i, j in combinations(range(30), 2) if (hashes[i] != hashes[j]).sum() <= MAX_BITS
    }  # fmt: skip
    pairs = [tuple(pair) for part in hash_pairs(hashes, progress=False) for pair in part.tolist()]
    assert len(expected) > 10 and sorted(pairs) == sorted(expected)


def test_the_difference_is_the_largest_of_any_cell():
    one, other = random_pictures(2).split(1)
    squares = (one[0].numpy().astype(float) - other[0].numpy()) ** 2
    cells = [squares[y : y + 2, x : x + 2].mean() ** 0.5 for y in range(0, 16, 2) for x in range(0, 16, 2)]
    assert picture_differences(one, other).item() == pytest.approx(max(cells), rel=1e-5)


def test_a_change_in_one_place_makes_another_picture():
    pictures = random_pictures(1).repeat(3, 1, 1, 1)
    pictures[1, :2, :2] ^= 1  # noise
    pictures[2, 4:6, 4:6] = 255 - pictures[2, 4:6, 4:6]  # another print
    assert found_rows(signatures(pictures), range(3)) == [(0, 1)]


def test_equal_pixels_form_one_group_with_their_neighbours():
    pictures = random_pictures(1).repeat(5, 1, 1, 1)
    pictures[3] = 255 - pictures[3]
    pictures[4, 0, 0] ^= 3
    (group,) = near_photos(signatures(pictures, files=[b"a", b"a", b"b", b"c", b"d"]), range(5), progress=False)
    assert group.rows == (0, 1, 2, 4) and not group.same_file and 0 < group.difference <= 1.5


def test_another_hash_is_not_compared():
    hashes = torch.zeros(2, 64, dtype=torch.bool)
    hashes[1, : MAX_BITS + 1] = True
    pictures = random_pictures(1).repeat(2, 1, 1, 1)
    pictures[1, 0, 0] ^= 1
    assert found_rows(signatures(pictures, hashes), range(2)) == []


def test_views_of_one_product_are_no_duplicates():
    pictures = random_pictures(1).repeat(4, 1, 1, 1)
    assert found_rows(signatures(pictures[:2], rows=[0, 0]), ["a"]) == []
    assert found_rows(signatures(pictures[:2]), ["a", "a"]) == []
    assert found_rows(signatures(pictures[:3]), ["a", "a", "b"]) == [(0, 1, 2)]


def test_the_view_that_is_the_same_is_named():
    pictures = random_pictures(3)
    pictures[2] = pictures[1]
    (group,) = near_photos(signatures(pictures, rows=[0, 0, 1]), "ab", progress=False)
    assert group.rows == (0, 1) and group.views == (1, 0)


def test_a_corpus_without_photos_has_no_duplicates():
    assert found_rows(signatures(random_pictures(0)), []) == []
