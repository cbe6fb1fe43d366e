"""Pretraining of backbones: recipe, batches and figures of a classifier of several attributes at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm.auto import tqdm
from transformers import (
    AutoModelForImageClassification,
    BaseImageProcessor,
    PreTrainedConfig,
    PreTrainedModel,
    ViTForImageClassification,
)
from transformers.modeling_outputs import ImageClassifierOutput

from ...data.normalisation import PixelNormaliser
from ...data.photo_cache import PhotoCache
from ...embedding.features import inference
from ...losses.attribute_cross_entropy import attribute_cross_entropy
from ..recipe import TrainingRecipe, check_run
from ..recipe_file import RecipeFile
from .recipe import AttributeDataRecipe


@dataclass
class BackboneRecipe:
    """Args:
    image_size (`int`): edge of the square photos.
    config (`dict`): `model_type` and fields of a configuration that `AutoModelForImageClassification` knows.
    """

    image_size: int = 224
    config: dict[str, Any] = field(default_factory=lambda: {"model_type": "resnet"})


@dataclass
class PretrainingRecipe(RecipeFile):
    """A run: the backbone, its data, its training."""

    model: BackboneRecipe = field(default_factory=BackboneRecipe)
    data: AttributeDataRecipe = field(default_factory=AttributeDataRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)

    def __post_init__(self):
        if "model_type" not in self.model.config:
            raise ValueError("`model.config` must name a `model_type` of transformers, such as `resnet` or `vit`.")
        check_run(self.data, self.training)


class PatchMeanClassifier(ViTForImageClassification):
    """A ViT that is judged by the mean of its patch tokens.

    IPAD's semantic branch reads the patches and drops the class token. Where that token is judged, as in the class
    above, nothing teaches the patches of the last layer.
    """

    def forward(self, pixel_values: Tensor) -> ImageClassifierOutput:
        """(B, 3, S, S) to logits (B, V)."""
        tokens = self.vit(pixel_values, return_dict=True).last_hidden_state
        return ImageClassifierOutput(logits=self.classifier(tokens[:, 1:].mean(1)))


def make_classifier(config: PreTrainedConfig) -> PreTrainedModel:
    """An untrained classifier whose backbone learns what an attribute-specific model reads of it.

    Args:
        config (`PreTrainedConfig`): one that `AutoModelForImageClassification` knows, with its labels.
    """
    if config.model_type == "vit":
        return PatchMeanClassifier(config)
    return AutoModelForImageClassification.from_config(config)


class LabelledPhotos(Dataset):
    """Photos with the values of all their attributes.

    Args:
        photos (`PhotoCache`): N rows.
        value_ids (`torch.Tensor` of shape `(N, A)`): long; -1 = unlabelled.
    """

    def __init__(self, photos: PhotoCache, value_ids: Tensor):
        self.photos, self.value_ids = photos, value_ids

    def set_epoch(self, epoch: int) -> None:
        """Every epoch shows the same photos."""

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.photos.photo(row).copy()), self.value_ids[row]


class ClassifierCollator:
    """Batches items of [`LabelledPhotos`]: pixels normalised.

    Args:
        image_processor (`BaseImageProcessor`): mean and standard deviation.
    """

    def __init__(self, image_processor: BaseImageProcessor):
        self.normalise = PixelNormaliser(image_processor)

    def __call__(self, items: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """B items -> `pixel_values` (B, 3, S, S) and `value_ids` (B, A)."""
        photos, value_ids = zip(*items, strict=True)
        return {"pixel_values": self.normalise(photos), "value_ids": torch.stack(value_ids)}


def classification_loss(num_values: Sequence[int]):
    """The loss that [`TrainingLoop`] calls, for attributes with so many values."""

    def loss_of(wrapped, model: PreTrainedModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        logits = wrapped(pixel_values=batch["pixel_values"]).logits
        return {"loss": attribute_cross_entropy(logits, batch["value_ids"], num_values)}

    return loss_of


def classification_figures(
    model: PreTrainedModel,
    photos: LabelledPhotos,
    collator: ClassifierCollator,
    names: Sequence[str],
    num_values: Sequence[int],
    batch_size: int = 128,
) -> dict[str, float]:
    """Share of right answers among the labelled photos, by attribute, and its mean over the attributes.

    Args:
        model (`PreTrainedModel`): gives logits of all values.
        photos (`LabelledPhotos`): N photos.
        collator (`ClassifierCollator`): batches them.
        names (`Sequence[str]`): the attributes.
        num_values (`Sequence[int]`): values of each.
        batch_size (`int`): photos a forward pass.

    Returns:
        `accuracy` and `{attribute}_accuracy`, in [0, 1]; an attribute without labels counts 0.
    """
    right = torch.zeros(len(names))
    with inference(model):
        for start in tqdm(range(0, len(photos), batch_size), desc="photos", leave=False):
            batch = collator([photos[row] for row in range(start, min(start + batch_size, len(photos)))])
            logits = model(pixel_values=batch["pixel_values"].to(model.device)).logits.cpu()
            answers = [part.argmax(1) for part in logits.split(list(num_values), dim=1)]
            right += (torch.stack(answers, dim=1) == batch["value_ids"]).sum(0)
    shares = right / (photos.value_ids >= 0).sum(0).clamp(min=1)
    by_name = {f"{name}_accuracy": share.item() for name, share in zip(names, shares, strict=True)}
    return {"accuracy": shares.mean().item(), **by_name}
