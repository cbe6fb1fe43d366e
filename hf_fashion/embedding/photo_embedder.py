"""Photos -> vectors in every space of a model."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from .attribute_corpus import IMAGE_INPUTS
from .batches import inference


class PhotoEmbedder:
    """Embeds photos with a model as it is, in its float type, on its device.

    A model with `config.attribute_names` and `get_attribute_features` has a space for each attribute, one with
    `get_image_features` the space `"image"`.

    Args:
        model (`PreTrainedModel`): E2, CLIP, or an attribute-specific model.
        processor (`ProcessorMixin` or `BaseImageProcessor`): its processor.

    Raises:
        ValueError: the model has neither.
    """

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin | BaseImageProcessor):
        self.model = model
        self.image_processor = getattr(processor, "image_processor", processor)
        self._attribute_names = list(getattr(model.config, "attribute_names", None) or [])
        wanted = "get_attribute_features" if self._attribute_names else "get_image_features"
        if not hasattr(model, wanted):
            raise ValueError(
                "`model` must have `get_image_features`, as E2 and CLIP have, or `config.attribute_names` and "
                f"`get_attribute_features`, as ASEN and IPAD have; {type(model).__name__} has no `{wanted}`"
            )

    def spaces(self) -> dict[str, int]:
        """Name and dimension of each space."""
        features = self.embed(self.prepare([Image.new("RGB", (64, 64))]))
        return {space: rows.shape[1] for space, rows in features.items()}

    def prepare(self, photos: Sequence[Image.Image]) -> dict[str, Tensor]:
        """The model's inputs for B photos, on the CPU. Threads may call it at the same time.

        Args:
            photos (`Sequence[PIL.Image.Image]`): B photos.
        """
        inputs = self.image_processor(list(photos), return_tensors="pt")
        return {name: inputs[name] for name in IMAGE_INPUTS if name in inputs}

    def embed(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What [`PhotoEmbedder.prepare`] gave -> for each space (B, d), L2-normalised, float32, on the CPU.

        Args:
            inputs (`dict[str, torch.Tensor]`): the model's inputs for B photos.
        """
        model = self.model
        inputs = {
            name: value.to(model.device, model.dtype if value.is_floating_point() else None)
            for name, value in inputs.items()
        }
        with inference(model):
            if not self._attribute_names:
                features = model.get_image_features(pixel_values=inputs["pixel_values"]).pooler_output  # (B, P)
                return {"image": normalize(features.float(), dim=-1).cpu()}
            features = model.get_attribute_features(**inputs).float().cpu()  # (B, A, D)
        return dict(zip(self._attribute_names, features.unbind(dim=1), strict=True))
