"""Outputs of frozen layers in the place of a run's photos."""

from collections.abc import Mapping

from accelerate import Accelerator
from transformers import BaseImageProcessor, PreTrainedModel

from ...data.normalisation import PixelNormaliser
from ...data.photo_cache import PhotoCache
from .layers import FrozenLayers
from .state_cache import StateCache


def freeze_layers(
    accelerator: Accelerator, model: PreTrainedModel, number: int, photos: Mapping[str, PhotoCache]
) -> FrozenLayers:
    """Freeze the first layers of a model's vision tower, and return them.

    Args:
        accelerator (`Accelerator`): the device, to which the model is moved.
        model (`PreTrainedModel`): the model.
        number (`int`): how many layers.
        photos (`Mapping[str, PhotoCache]`): split -> photos, for their size.

    Raises:
        ValueError: if the layers cannot be frozen.
    """
    sizes = {cache.pixels.shape[-2:] for cache in photos.values()}  # one, as one image processor made them
    frozen = FrozenLayers(model, number, sizes.pop())
    model.to(accelerator.device)
    frozen.freeze()
    return frozen


def frozen_outputs(
    accelerator: Accelerator,
    frozen: FrozenLayers,
    photos: Mapping[str, PhotoCache],
    image_processor: BaseImageProcessor,
) -> dict[str, StateCache]:
    """Return the outputs of frozen layers for the photos of a run, by split.

    Args:
        accelerator (`Accelerator`): the processes: the main one computes what is missing, the others wait.
        frozen (`FrozenLayers`): from [`freeze_layers`].
        photos (`Mapping[str, PhotoCache]`): split -> photos.
        image_processor (`BaseImageProcessor`): normalises the pixels.

    Raises:
        OSError: if the disk has no room for the outputs.
        ValueError: if an output does not fit float16.
    """
    with accelerator.main_process_first():
        normalise = PixelNormaliser(image_processor)
        return {
            name: StateCache.build(cache, frozen, normalise, say=accelerator.print) for name, cache in photos.items()
        }
