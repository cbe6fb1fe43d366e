"""A training run of a backbone as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ..recipe import CardRecipe, LabelledDataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile
from ..recipe_ranges import in_range


@dataclass
class BackboneModelRecipe:
    """Choose the backbone and the size of its photos.

    Args:
        image_size (`int`, *optional*, defaults to 224): edge of the square photos.
        config (`dict`, *optional*): `model_type` and fields of a configuration of `AutoModelForImageClassification`.
    """

    image_size: int = field(default=224, metadata=in_range(at_least=1))
    config: dict[str, Any] = field(default_factory=lambda: {"model_type": "resnet"})


@dataclass
class BackboneRecipe(RecipeFile):
    """A run: the backbone, its data, its training.

    The loss is a mean over the labels of each attribute. Several processes take it over the joined batch;
    `training.gradient_accumulation_steps` batches each take their own, and an update the mean of these, so that a
    label weighs more in a batch with fewer of them.
    """

    model: BackboneModelRecipe = field(default_factory=BackboneModelRecipe)
    data: LabelledDataRecipe = field(default_factory=LabelledDataRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)
    card: CardRecipe = field(default_factory=CardRecipe)

    def __post_init__(self):
        if "model_type" not in self.model.config:
            raise ValueError("`model.config` must name a `model_type` of transformers, such as `resnet` or `vit`.")
        check_run(self.data, self.training)
