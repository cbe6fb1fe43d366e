"""Image processor of the attribute-specific models, on PIL, so that it works without torchvision."""

import numpy as np
from transformers import BatchFeature
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import (
    IMAGENET_DEFAULT_MEAN,
    IMAGENET_DEFAULT_STD,
    ChannelDimension,
    PILImageResampling,
    SizeDict,
    get_image_size,
)
from transformers.processing_utils import ImagesKwargs, Unpack


class AttributeImageProcessorKwargs(ImagesKwargs, total=False):
    """Arguments of [`AttributeImageProcessorPil`] in addition to those of every image processor.

    do_source (`bool`): also return the photos before their centre crop.
    source_longest_edge (`int`): photos whose longest edge exceeds it are shrunk to it.
    """

    do_source: bool
    source_longest_edge: int


class AttributeImageProcessorPil(PilBackend):
    """Scales the shortest edge, crops the centre, rescales and normalises with ImageNet's mean and deviation.

    With `do_source=True` it also gives the photos that a model cuts its regions from: `source_pixel_values`
    (B, 3, H', W'), normalised alike and padded at right and bottom to the largest of the batch, and `source_sizes`
    (B, 2), height and width of what is not padding. The models find the regions in the photo's centre square, scaled
    to their input, so `do_source=True` with sizes that cut out another part raises a `ValueError`.
    """

    valid_kwargs = AttributeImageProcessorKwargs
    resample = PILImageResampling.BILINEAR
    image_mean = IMAGENET_DEFAULT_MEAN
    image_std = IMAGENET_DEFAULT_STD
    size = {"shortest_edge": 224}
    default_to_square = False
    crop_size = {"height": 224, "width": 224}
    do_resize = True
    do_center_crop = True
    do_rescale = True
    do_normalize = True
    do_convert_rgb = True
    do_source = False
    source_longest_edge = 512

    def __init__(self, **kwargs: Unpack[AttributeImageProcessorKwargs]):
        super().__init__(**kwargs)

    def _preprocess(
        self, images: list[np.ndarray], do_source: bool, source_longest_edge: int, return_tensors=None, **kwargs
    ) -> BatchFeature:
        features = super()._preprocess(images, return_tensors=return_tensors, **kwargs)
        if do_source:
            _check_centre_square(**kwargs)
            sources = [self._shrink(image, source_longest_edge, kwargs["resample"]) for image in images]
            unscaled = {"do_resize": False, "do_center_crop": False, "do_pad": True, "pad_size": None}
            padded = super()._preprocess(sources, return_tensors=return_tensors, **(kwargs | unscaled))
            sizes = np.array([get_image_size(source, channel_dim=ChannelDimension.FIRST) for source in sources])
            features.update({"source_pixel_values": padded["pixel_values"]})
            features.update(BatchFeature({"source_sizes": sizes}, tensor_type=return_tensors))
        return features

    def _shrink(self, image: np.ndarray, longest_edge: int, resample: PILImageResampling) -> np.ndarray:
        height, width = get_image_size(image, channel_dim=ChannelDimension.FIRST)
        scale = longest_edge / max(height, width)
        if scale >= 1:
            return image
        size = SizeDict(height=max(1, round(height * scale)), width=max(1, round(width * scale)))
        return self.resize(image, size, resample=resample)


def _check_centre_square(
    size: SizeDict, crop_size: SizeDict | None, do_resize: bool, do_center_crop: bool, **others
) -> None:
    """Raise if the model's input is not the centre square of the photo."""
    edge, crop = size.shortest_edge, crop_size or SizeDict()
    if not (do_resize and do_center_crop and edge == crop.height == crop.width) or size.longest_edge:
        raise ValueError(
            "`do_source=True` needs the centre square as the model's input, by which regions are cut from the photo: "
            "`do_resize=True` and `do_center_crop=True`, with `size` a shortest edge and `crop_size` a square of it; "
            f"got do_resize={do_resize}, do_center_crop={do_center_crop}, size={dict(size)} and "
            f"crop_size={dict(crop)}."
        )


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
AttributeImageProcessorPil.register_for_auto_class("AutoImageProcessor")

__all__ = ["AttributeImageProcessorPil"]
