"""Outputs of frozen layers in the place of a run's photos."""

from collections.abc import Mapping

from accelerate import Accelerator
from transformers import BaseImageProcessor, PreTrainedModel

from ...data.normalisation import PixelNormaliser
from ...data.photo_cache import PhotoCache
from .layers import FrozenLayers
from .state_cache import StateCache


def freeze_layers(
    accelerator: Accelerator,
    model: PreTrainedModel,
    number: int,
    photos: Mapping[str, PhotoCache],
    image_processor: BaseImageProcessor,
) -> tuple[FrozenLayers, dict[str, StateCache]]:
    """Freeze the first layers of a model's vision tower, and return them and their outputs for the photos of a run.

    Args:
        accelerator (`Accelerator`): devices and processes: the main one computes what is missing, the others wait.
        model (`PreTrainedModel`): the model; it is moved to the device.
        number (`int`): how many layers.
        photos (`Mapping[str, PhotoCache]`): split -> photos.
        image_processor (`BaseImageProcessor`): normalises the pixels.

    Raises:
        OSError: if the disk has no room for the outputs.
        ValueError: if the layers cannot be frozen.
    """
    sizes = {cache.pixels.shape[-2:] for cache in photos.values()}  # one, as one image processor made them
    frozen = FrozenLayers(model, number, sizes.pop())
    model.to(accelerator.device)
    frozen.freeze()
    with accelerator.main_process_first():
        normalise = PixelNormaliser(image_processor)
        states = {
            name: StateCache.build(cache, frozen, normalise, say=accelerator.print) for name, cache in photos.items()
        }
    return frozen, states
