"""Find photos that are the same picture, also where one was saved again, smaller or with another quality."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..embedding.corpus import equality_ids
from .groups import connected
from .signatures import PICTURE_SIDE, PhotoSignatures


# Bits of 64 by which the hashes of candidates may differ. The copies of a product photo (half as wide, JPEG quality
# 60) differed by at most 4; one pair in 900 of different products does too.
MAX_BITS = 6
# Each candidate is then compared as a picture: the largest difference in any of its 8 by 8 cells, so that two shirts
# with another print differ. Such copies differed by at most 6 of 255; of the 126 pairs that are found in a catalogue
# of 10,600 photos, 123 by less than 5, and the others look alike to people too.
CELLS = 8
MAX_DIFFERENCE = 8.0
SCORES_AT_ONCE = 2**23
PAIRS_AT_ONCE = 4096


@dataclass(frozen=True)
class PhotoGroup:
    """
    Rows of different owners with the same picture.

    Args:
        rows (`tuple[int, ...]`): at least two, in ascending order.
        views (`tuple[int, ...]`): which photo of each row it is, from 0.
        difference (`float`): of the two nearest photos, at the row where it is largest: from 0 (equal pixels) to
            `MAX_DIFFERENCE`.
        same_file (`bool`): whether all photos are the same file, byte for byte.
    """

    rows: tuple[int, ...]
    views: tuple[int, ...]
    difference: float
    same_file: bool


def near_photos(signatures: PhotoSignatures, owners: Sequence[Hashable], progress: bool = True) -> list[PhotoGroup]:
    """Return the groups of near-duplicate photos. Views of one product in one split are no duplicates of each other.

    Args:
        signatures (`PhotoSignatures`): of all photos.
        owners (`Sequence[Hashable]`): of each row, equal where photos may be the same.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.
    """
    same = equality_ids(picture.numpy().tobytes() for picture in signatures.pictures)
    nearest = torch.full((len(same),), torch.inf)
    groups = connected(len(same), _links(signatures, same, nearest, progress))
    found = [_group(group, signatures, nearest) for group in groups]
    return [group for group in found if len({owners[row] for row in group.rows}) > 1]


def picture_differences(one: Tensor, other: Tensor) -> Tensor:
    """Return the largest difference in any cell of two pictures, root mean square over its pixels: float32 (K,).

    Args:
        one (`torch.Tensor` of shape `(K, 16, 16, 3)`): uint8.
        other (`torch.Tensor` of shape `(K, 16, 16, 3)`): uint8.
    """
    squares = (one.float() - other.float()).square()
    width = PICTURE_SIDE // CELLS
    cells = squares.view(-1, CELLS, width, CELLS, width, 3).mean(dim=(2, 4, 5))  # (K, 8, 8)
    return cells.flatten(1).amax(dim=1).sqrt()


def hash_pairs(hashes: Tensor, progress: bool = True) -> Iterator[Tensor]:
    """Yield the pairs of photos whose hashes differ by at most `MAX_BITS`, int64 (K, 2), the smaller number first.

    Exact: every pair is compared, by products of matrices. On one core 100,000 photos take about a minute.

    Args:
        hashes (`torch.Tensor` of shape `(P, 64)`): bool.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.
    """
    signs = hashes.float() * 2 - 1  # the product of two is 64 less twice the bits that differ
    step = max(1, SCORES_AT_ONCE // max(1, len(signs)))
    for start in tqdm(range(0, len(signs), step), desc="near photos", disable=not progress, leave=False):
        products = signs[start : start + step] @ signs[start:].T
        pairs = (products >= signs.shape[1] - 2 * MAX_BITS).nonzero()
        yield from (pairs[pairs[:, 0] < pairs[:, 1]] + start).split(PAIRS_AT_ONCE)


def _links(signatures: PhotoSignatures, same: Tensor, nearest: Tensor, progress: bool) -> Iterator[tuple[int, int]]:
    """Pairs of photos that are the same picture; the smallest difference of each photo is written to `nearest`."""
    firsts = torch.full((int(same.max()) + 1 if len(same) else 0,), len(same)).scatter_reduce(
        0, same, torch.arange(len(same)), "amin"
    )  # of the photos with equal pixels only one is compared with others
    copies = firsts[same] != torch.arange(len(same))
    nearest[copies] = nearest[firsts[same[copies]]] = 0.0
    yield from zip(firsts[same[copies]].tolist(), copies.nonzero().flatten().tolist(), strict=True)
    for places in hash_pairs(signatures.hashes[firsts], progress):
        pairs = firsts[places]
        differences = picture_differences(*(signatures.pictures[side] for side in pairs.unbind(1)))
        near = differences <= MAX_DIFFERENCE
        for side in pairs[near].unbind(1):
            nearest.scatter_reduce_(0, side, differences[near], "amin")
        yield from map(tuple, pairs[near].tolist())


def _group(photos: list[int], signatures: PhotoSignatures, nearest: Tensor) -> PhotoGroup:
    views = {signatures.rows[photo]: signatures.views[photo] for photo in reversed(photos)}  # of a row the first
    rows = tuple(sorted(views))
    same_file = len({signatures.files[photo] for photo in photos}) == 1
    return PhotoGroup(rows, tuple(views[row] for row in rows), round(nearest[photos].max().item(), 2), same_file)
