"""Random views: the geometry against a computation point by point, and that only the generator decides the draw."""

import pytest
import torch

from hf_fashion.data import augmentation
from hf_fashion.data.augmentation import MIN_CROP, homographies, random_corners, random_views


SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def ramp(height=12, width=16):
    """Two photos of two channels whose values are the x and y of their pixels' centres, in [-1, 1]."""
    x = (torch.arange(width) * 2 + 1) / width - 1
    y = (torch.arange(height) * 2 + 1) / height - 1
    return torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)]).repeat(2, 1, 1, 1)


def draw(monkeypatch, corners, photos):
    monkeypatch.setattr(augmentation, "random_corners", lambda *_: corners)
    return random_views(photos, 0.0, generator())


def test_homographies_take_the_square_to_the_corners():
    corners = random_corners(5, 0.6, generator())
    matrices = homographies(corners)
    points = torch.cat([SQUARE, torch.ones(4, 1)], dim=1)
    for matrix, wanted in zip(matrices, corners, strict=True):
        for point, corner in zip(points, wanted, strict=True):
            x, y, scale = matrix @ point
            assert torch.allclose(torch.stack([x / scale, y / scale]), corner, atol=1e-5)
    assert (matrices[:, 2, 2] == 1).all()


def test_of_a_parallelogram_the_map_is_affine():
    (matrix,) = homographies((SQUARE * torch.tensor([0.5, 0.25]) + torch.tensor([0.1, -0.2]))[None])
    expected = torch.tensor([[0.5, 0.0, 0.1], [0.0, 0.25, -0.2], [0.0, 0.0, 1.0]])
    assert torch.allclose(matrix, expected, atol=1e-6)


def test_the_whole_square_is_the_photo_itself(monkeypatch):
    photos = torch.rand(2, 3, 9, 7, generator=generator())
    assert torch.allclose(draw(monkeypatch, SQUARE.expand(2, -1, -1), photos), photos, atol=1e-5)


def test_a_mirrored_square_is_the_photo_mirrored(monkeypatch):
    photos = torch.rand(2, 3, 9, 7, generator=generator())
    corners = (SQUARE * torch.tensor([-1.0, 1.0])).expand(2, -1, -1)
    assert torch.allclose(draw(monkeypatch, corners, photos), photos.flip(-1), atol=1e-5)


def test_every_pixel_of_a_view_shows_the_place_it_is_mapped_to(monkeypatch):
    corners = 0.8 * random_corners(2, 0.5, generator(1))  # well inside: no border
    photos = ramp()
    views = draw(monkeypatch, corners, photos)
    matrices = homographies(corners)
    for number in range(2):
        for row in range(photos.shape[2]):
            for column in range(photos.shape[3]):
                place = torch.cat([photos[number, :, row, column], torch.ones(1)])
                x, y, scale = matrices[number] @ place
                assert torch.allclose(views[number, :, row, column], torch.stack([x, y]) / scale, atol=1e-5)


def test_without_distortion_views_are_upright_crops_half_of_them_mirrored():
    corners = random_corners(400, 0.0, generator())
    assert corners.abs().max() <= 1
    edges = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    assert torch.allclose(edges[0][:, 1], torch.zeros(400), atol=1e-6)
    assert torch.allclose(edges[0][:, 0].abs(), edges[1][:, 1], atol=1e-6), "both edges are scaled alike"
    assert edges[1][:, 1].min() >= 2 * MIN_CROP - 1e-6 and edges[1][:, 1].max() <= 2
    assert 150 < (edges[0][:, 0] < 0).sum() < 250


def test_distortion_moves_corners_inwards_as_far_as_it_says():
    drawn = random_corners(2000, 0.4, generator())
    assert drawn.abs().max() <= 1
    plain = random_corners(2000, 0.0, generator())
    share = (plain - drawn).abs().amax(dim=(0, 1))
    assert (share <= 0.4 + 1e-6).all() and (share > 0.3).all()


def test_the_generator_alone_decides():
    photos = torch.rand(3, 3, 16, 16, generator=generator())
    first = random_views(photos, 0.4, generator(3))
    torch.rand(5)
    assert torch.equal(random_views(photos, 0.4, generator(3)), first)
    assert not torch.equal(random_views(photos, 0.4, generator(4)), first)
    assert not torch.equal(first[0], first[1])


def test_a_larger_photo_is_seen_alike():
    """Sources are drawn with the corners of their photos: on a ramp, both sizes show the same places."""
    small, large = (random_views(ramp(size, size), 0.2, generator(5)) for size in (16, 64))
    shrunk = torch.nn.functional.avg_pool2d(large, 4)
    assert (shrunk - small).abs()[..., 3:-3, 3:-3].max() < 0.02


def test_shape_and_dtype_are_those_of_the_photos():
    for dtype in (torch.float32, torch.float64):
        views = random_views(torch.zeros(2, 3, 8, 10, dtype=dtype), 0.2, generator())
        assert views.shape == (2, 3, 8, 10) and views.dtype == dtype


@pytest.mark.parametrize("distortion", [-0.1, 1.0])
def test_a_distortion_out_of_range_is_refused(distortion):
    with pytest.raises(ValueError, match=rf"`distortion` must lie in \[0, 1\), got {distortion}"):
        random_views(torch.zeros(1, 3, 8, 8), distortion, generator())
