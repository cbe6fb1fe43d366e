"""Augment photos: random perspective, crop and flip in one resampling of the whole batch."""

import torch
from torch import Tensor, nn


MIN_CROP = 0.8  # smallest share of the edges that a crop keeps


def random_views(photos: Tensor, distortion: float, generator: torch.Generator) -> Tensor:
    """Augment each photo: a random perspective of a random crop, flipped half of the time.

    Args:
        photos (`torch.Tensor` of shape `(M, C, H, W)`): floating point, any range.
        distortion (`float`): how far a corner may move inwards, as a share of half the edge; in [0, 1).
        generator (`torch.Generator`): on the CPU; the views depend on nothing else.

    Returns:
        `torch.Tensor` of shape `(M, C, H, W)`: of the same dtype, on the same device.

    Raises:
        ValueError: if `distortion` is outside [0, 1).
    """
    if not 0 <= distortion < 1:
        raise ValueError(f"`distortion` must lie in [0, 1), got {distortion}")
    corners = random_corners(len(photos), distortion, generator)  # (M, 4, 2)
    matrices = homographies(corners).to(photos.device, photos.dtype)  # (M, 3, 3)
    identity = torch.eye(2, 3, device=photos.device, dtype=photos.dtype).expand(len(photos), -1, -1)
    places = nn.functional.affine_grid(identity, photos.shape, align_corners=False)  # (M, H, W, 2)
    places = nn.functional.pad(places, (0, 1), value=1.0) @ matrices.transpose(1, 2).unsqueeze(1)  # (M, H, W, 3)
    grid = places[..., :2] / places[..., 2:]
    return nn.functional.grid_sample(photos, grid, padding_mode="border", align_corners=False)


def random_corners(number: int, distortion: float, generator: torch.Generator) -> Tensor:
    """Draw where the corners of the views lie in the photos.

    Args:
        number (`int`): M views.
        distortion (`float`): see [`random_views`].
        generator (`torch.Generator`): on the CPU.

    Returns:
        `torch.Tensor` of shape `(M, 4, 2)`: x and y in [-1, 1], from the top left corner clockwise; mirrored in x for
        half of the views.
    """

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    corners = square * (1 - distortion * uniform(number, 4, 2))
    scale = MIN_CROP + (1 - MIN_CROP) * uniform(number, 1, 1)
    corners = corners * scale + (1 - scale) * (2 * uniform(number, 1, 2) - 1)
    flip = torch.where(uniform(number, 1) < 0.5, -1.0, 1.0)
    return torch.stack([corners[..., 0] * flip, corners[..., 1]], dim=-1)


def homographies(corners: Tensor) -> Tensor:
    """Return the homographies (projective maps) from the corners of the square [-1, 1]² to given points.

    Args:
        corners (`torch.Tensor` of shape `(M, 4, 2)`): images of (-1, -1), (1, -1), (1, 1), (-1, 1), in general
            position.

    Returns:
        `torch.Tensor` of shape `(M, 3, 3)`: on homogeneous (x, y, 1), scaled so that the last entry is 1.
    """
    x, y = torch.tensor([-1.0, 1.0, 1.0, -1.0]), torch.tensor([-1.0, -1.0, 1.0, 1.0])
    ones, zeros = torch.ones(4), torch.zeros(4)
    u, v = corners.unbind(-1)  # (M, 4)

    def rows(*columns: Tensor) -> Tensor:
        return torch.stack([column.expand_as(u) for column in columns], dim=-1)  # (M, 4, 8)

    equations = torch.cat(
        [rows(x, y, ones, zeros, zeros, zeros, -u * x, -u * y), rows(zeros, zeros, zeros, x, y, ones, -v * x, -v * y)],
        dim=1,
    )  # (M, 8, 8)
    solved = torch.linalg.solve(equations, torch.cat([u, v], dim=1))  # (M, 8)
    return nn.functional.pad(solved, (0, 1), value=1.0).view(-1, 3, 3)
