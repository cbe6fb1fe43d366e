"""A training run of an attribute-specific model as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ..recipe import DataRecipe, StageRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require
from .losses import ASEN_PLUS_PLUS_WEIGHTS, IPAD_WEIGHTS


LOSSES = tuple(ASEN_PLUS_PLUS_WEIGHTS | IPAD_WEIGHTS)


@dataclass
class AttributeModelRecipe:
    """Args:
    architecture (`str`): `"asen"` (ASEN, ASEN++, and by its `head` CSN and the triplet net) or `"ipad"` (and RPF).
    start_from (`str`, *optional*): folder or Hub id of a trained model of this architecture. Parts that it lacks, such
        as the local branch of ASEN++, start anew.
    backbone (`str`, *optional*): folder or Hub id of a pretrained backbone, for a new model.
    local_backbone (`str`, *optional*): the same for the branch that sees the region: ASEN++'s, or IPAD's ViT. With
        `start_from`, of a checkpoint that lacks this branch.
    config (`dict`): fields of `AsenConfig` or `IpadConfig`; with `start_from` what differs from the checkpoint's.
    """

    architecture: str = "asen"
    start_from: str | None = None
    backbone: str | None = None
    local_backbone: str | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class AttributeDataRecipe(DataRecipe):
    """Fields of [`DataRecipe`], and these.

    Args:
        attributes (`list[str]`, *optional*): those of the column map to train on; `None`: all.
        source_size (`int`, *optional*): edge of the square photos that regions are cropped from in training; `None`
            crops them from what the global branch sees.
    """

    attributes: list[str] | None = None
    source_size: int | None = None


@dataclass
class SamplingRecipe:
    """Args:
    kind (`str`): `"triplets"`, the papers' way: `training.batch_size` triplets a step, drawn one by one. `"pk"`: P
        values with K images each, of which every triplet is used.
    triplets_an_epoch (`int`): of kind `"triplets"`, all processes together.
    extra_views (`int`): of kind `"triplets"`: augmented views of each anchor, 0 to 2.
    batches_an_epoch (`int`): of kind `"pk"`, all processes together.
    values_per_group, images_per_value (`int`): P and K.
    attributes_per_batch (`int`): groups of P times K images in a batch, each of another attribute.
    triplet_limit (`int`): of kind `"pk"`: triplets that a step takes at most; of more, so many are drawn.
    """

    kind: str = "pk"
    triplets_an_epoch: int = 100_000
    extra_views: int = 2
    batches_an_epoch: int = 1000
    values_per_group: int = 8
    images_per_value: int = 4
    attributes_per_batch: int = 2
    triplet_limit: int = 20_000


@dataclass
class DivergingRecipe:
    """Settings of attribute diverging; it runs where a stage's losses name `global_centre` or `local_centre`.

    Args:
        momentum (`float`): mu of equation 10.
        capacity (`int`): n_q, features a queue holds.
        min_filled (`int`): features that a queue must hold before its value has a centre.
        refresh_every (`int`): n_b, steps between two refreshes of the centres.
    """

    momentum: float = 0.995
    capacity: int = 1000
    min_filled: int = 100
    refresh_every: int = 50


@dataclass
class AttributeStageRecipe(StageRecipe):
    """Fields of [`StageRecipe`], and these.

    Args:
        losses (`dict[str, float]`): names of losses, see `attribute_losses`, and the weight of each.
    """

    losses: dict[str, float] = field(default_factory=lambda: {"global_triplet": 1.0})


@dataclass
class AttributeTrainingRecipe(TrainingRecipe):
    """Fields of [`TrainingRecipe`]; `batch_size` counts triplets, and is not used where batches are P x K."""

    output_dir: str = "runs/attributes"
    stages: list[AttributeStageRecipe] = field(
        default_factory=lambda: [AttributeStageRecipe(epochs=1, learning_rate=1e-4)]
    )


@dataclass
class AttributeRecipe(RecipeFile):
    """A run: its model, its data, how batches are drawn, its training."""

    model: AttributeModelRecipe = field(default_factory=AttributeModelRecipe)
    data: AttributeDataRecipe = field(default_factory=AttributeDataRecipe)
    sampling: SamplingRecipe = field(default_factory=SamplingRecipe)
    diverging: DivergingRecipe = field(default_factory=DivergingRecipe)
    training: AttributeTrainingRecipe = field(default_factory=AttributeTrainingRecipe)

    def __post_init__(self):
        require("model.architecture", self.model.architecture, ("asen", "ipad"))
        require("sampling.kind", self.sampling.kind, ("triplets", "pk"))
        if not 0 <= self.sampling.extra_views <= 2:
            raise ValueError(f"`sampling.extra_views` must lie in 0 to 2; got {self.sampling.extra_views}.")
        if self.model.start_from and self.model.backbone:
            raise ValueError("`model.start_from` brings its own backbone: leave `model.backbone` out.")
        check_run(self.data, self.training)
        for number, stage in enumerate(self.training.stages):
            if not stage.losses:
                raise ValueError(f"`training.stages[{number}].losses` must name at least one of {', '.join(LOSSES)}.")
            for name in stage.losses:
                require(f"training.stages[{number}].losses", name, LOSSES)
