"""Boxes against the published ones and against a slow reading of the rule; crops against torch's own resizing."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hf_fashion.models.attribute.region_of_interest import crop_regions, region_boxes


def test_parity_with_the_published_boxes(shared_fixtures):
    tensors = load_file(shared_fixtures / "crop_boxes.safetensors")
    maps, sizes = tensors["attention"], tensors["size_wh"].flip(1)
    small = maps.isnan().flatten(1).any(1)  # 7x7 maps are padded with NaN to 14x14
    boxes = torch.empty_like(tensors["box_ltrb"])
    boxes[small] = region_boxes(maps[small, :7, :7], sizes[small], 224)
    boxes[~small] = region_boxes(maps[~small], sizes[~small], 224)
    assert small.any() and not small.all()
    assert boxes.dtype == torch.int64 and torch.equal(boxes, tensors["box_ltrb"])


def slow_box(attention: torch.Tensor, height: int, width: int, size: int, threshold: float) -> list[int]:
    scaled = nn.functional.interpolate(attention[None, None], size=(size, size), mode="bilinear")[0, 0]
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    kept = [(x, y) for y in range(size) for x in range(size) if int(scaled[y, x] * 255) > int(255 * threshold)]
    (left, top), (right, bottom) = (tuple(choose(axis) for axis in zip(*kept, strict=True)) for choose in (min, max))
    edge = max(right - left, bottom - top) + 1
    x, y = (
        min(max((low + high + 1) // 2 - edge // 2, 0), size - edge) for low, high in ((left, right), (top, bottom))
    )
    short = min(height, width)
    x, y = ((length - short) // 2 + place * short // size for length, place in ((width, x), (height, y)))
    return [x, y, x + edge * short // size, y + edge * short // size]


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_boxes_follow_the_rule(threshold):
    torch.manual_seed(0)
    maps = torch.randn(12, 5, 5).mul(3).flatten(1).softmax(-1).view(12, 5, 5)
    sizes = torch.randint(20, 90, (12, 2))
    boxes = region_boxes(maps, sizes, 40, threshold)
    expected = [slow_box(m, *size, 40, threshold) for m, size in zip(maps, sizes.tolist(), strict=True)]
    assert boxes.tolist() == expected
    assert len({right - left for left, _, right, _ in expected}) > 3


def test_published_boxes_of_odd_edge_may_reach_one_pixel_beyond():
    """By hand, as the authors count: `if xc + d // 2 > S: xc = S - d // 2`, of which only the overhang is left."""
    torch.manual_seed(0)
    maps = torch.randn(800, 7, 7).mul(2).flatten(1).softmax(-1).view(-1, 7, 7)
    sizes = torch.full((800, 2), 224)
    pushed, published = region_boxes(maps, sizes, 224), region_boxes(maps, sizes, 224, published=True)
    beyond = (published[:, 2:] > 224).any(dim=1)
    assert 0 < beyond.sum() < 20 and published.max() == 225 and pushed.max() == 224
    assert torch.equal(pushed[~beyond], published[~beyond])
    left, top, right, bottom = published[beyond].unbind(dim=1)
    assert torch.equal(right - left, bottom - top) and ((right - left) % 2 == 1).all()
    moved = published[beyond, 2:] > 224
    assert torch.equal(pushed[beyond, :2], published[beyond, :2] - moved.long())


@pytest.mark.parametrize("published", [False, True])
def test_both_rules_agree_with_the_published_boxes_of_the_fixture(shared_fixtures, published):
    tensors = load_file(shared_fixtures / "crop_boxes.safetensors")
    small = tensors["attention"].isnan().flatten(1).any(1)
    sizes = tensors["size_wh"].flip(1)[~small]
    boxes = region_boxes(tensors["attention"][~small], sizes, 224, published=published)
    assert torch.equal(boxes, tensors["box_ltrb"][~small])


def test_the_box_holds_every_kept_spot():
    """Two spots in opposite corners: the box spans both, not only the larger one."""
    maps = torch.zeros(1, 8, 8)
    maps[0, 0, 0], maps[0, 7, 7] = 1.0, 0.5
    assert region_boxes(maps, torch.tensor([[64, 64]]), 64).tolist() == [[0, 0, 64, 64]]


def test_a_map_without_a_peak_means_the_whole_photo():
    maps = torch.full((3, 4, 4), 1 / 16)
    maps[1] = torch.nan
    maps[2, 0, 0] = torch.nan
    sizes = torch.tensor([[30, 50], [30, 50], [20, 10]])
    assert region_boxes(maps, sizes, 32).tolist() == [[0, 0, 50, 30], [0, 0, 50, 30], [0, 0, 10, 20]]


def test_a_tiny_photo_keeps_a_pixel():
    maps = torch.zeros(1, 8, 8)
    maps[0, 4, 4] = 1
    left, top, right, bottom = region_boxes(maps, torch.tensor([[3, 2]]), 64)[0].tolist()
    assert right - left == bottom - top == 1 and 0 <= left < 2 and 0 <= top < 3


def test_boxes_carry_no_gradient():
    maps = torch.rand(2, 4, 4, requires_grad=True)
    assert not region_boxes(maps, torch.full((2, 2), 32), 32).requires_grad


@pytest.mark.parametrize("shapes", [((2, 4), (2, 2)), ((2, 4, 4), (3, 2)), ((2, 4, 4), (2,))])
def test_wrong_shapes_are_named(shapes):
    with pytest.raises(ValueError, match="attention_maps"):
        region_boxes(torch.zeros(shapes[0]), torch.ones(shapes[1], dtype=torch.long), 32)


@pytest.mark.parametrize("size", [1, 7, 32])
def test_crops_equal_a_loop_of_resizing(size):
    torch.manual_seed(0)
    photos = torch.rand(2, 3, 60, 44, dtype=torch.float64)
    boxes = torch.tensor(
        [[[3, 5, 40, 42], [10, 10, 16, 16], [43, 59, 44, 60]], [[0, 0, 44, 60], [0, 0, 1, 1], [4, 4, 9, 9]]]
    )
    crops = crop_regions(photos, boxes, size)
    resize = {"size": (size, size), "mode": "bilinear", "antialias": True}
    expected = [
        nn.functional.interpolate(photo[None, :, top:bottom, left:right], **resize)[0]
        for photo, rows in zip(photos, boxes.tolist(), strict=True)
        for left, top, right, bottom in rows
    ]
    torch.testing.assert_close(crops, torch.stack(expected), rtol=1e-10, atol=1e-12)


def test_nothing_outside_the_box_is_read():
    photos = torch.ones(1, 3, 20, 20)
    photos[:, :, 10:], photos[:, :, :, 12:] = 1e6, 1e6
    assert crop_regions(photos, torch.tensor([[[0, 0, 12, 10]]]), 8).max() < 1.001


def test_crops_in_half_precision_stay_close():
    torch.manual_seed(0)
    photos, boxes = torch.rand(1, 3, 300, 300), torch.tensor([[[151, 149, 287, 285]]])
    torch.testing.assert_close(
        crop_regions(photos.bfloat16(), boxes, 32).float(), crop_regions(photos, boxes, 32), rtol=0, atol=0.02
    )


def test_crops_pass_gradients_to_the_photo_alone():
    photos = torch.rand(1, 3, 8, 8, requires_grad=True)
    crop_regions(photos, torch.tensor([[[2, 2, 6, 6]]]), 4).sum().backward()
    assert photos.grad[..., 2:6, 2:6].min() > 0 and photos.grad[..., :2, :].abs().max() == 0


@pytest.mark.parametrize("shapes", [((3, 8, 8), (1, 1, 4)), ((2, 3, 8, 8), (1, 1, 4)), ((1, 3, 8, 8), (1, 4))])
def test_wrong_shapes_of_crops_are_named(shapes):
    with pytest.raises(ValueError, match="source_pixel_values"):
        crop_regions(torch.zeros(shapes[0]), torch.ones(shapes[1], dtype=torch.long), 4)
