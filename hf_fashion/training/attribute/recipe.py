"""A training run of an attribute-specific model as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ...losses.attribute import ATTRIBUTE_LOSSES, published_weights
from ..adapters import check_lora
from ..recipe import CardRecipe, LabelledDataRecipe, StageRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require
from ..recipe_ranges import in_range


@dataclass
class AttributeModelRecipe:
    """Choose the attribute-specific model, and where its weights come from.

    Args:
        architecture (`str`, *optional*, defaults to `"asen"`): `"asen"` (ASEN, ASEN++, and by its `head` CSN and the
            triplet net) or `"ipad"` (and RPF).
        start_from (`str`, *optional*): folder or Hub id of a trained model of this architecture. Parts that it lacks,
            such as the local branch of ASEN++, start from random weights.
        backbone (`str`, *optional*): folder or Hub id of a pretrained backbone, for a new model.
        local_backbone (`str`, *optional*): the same for the branch that sees the region: ASEN++'s, or IPAD's ViT or
            DINOv2. With `start_from`, for a checkpoint that lacks this branch.
        config (`dict`, *optional*): fields of `AsenConfig` or `IpadConfig`; with `start_from` only the changes to the
            checkpoint's.
        attribute_texts (`str`, *optional*): folder or Hub id of a text encoder (E2, CLIP, BERT and others). In a new
            model, its vectors of the attributes' names and values take the place of learnt rows, so that attributes
            can be added by their names. The vectors are saved with the model.
        lora_r (`int`, *optional*): rank of a LoRA adapter on the backbones of `start_from`. Trained are the adapter,
            the attributes' embeddings, the heads and the batch norms. `None`: all weights are trained.
    """

    architecture: str = "asen"
    start_from: str | None = None
    backbone: str | None = None
    local_backbone: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    attribute_texts: str | None = None
    lora_r: int | None = field(default=None, metadata=in_range(at_least=1))


@dataclass
class AttributeDataRecipe(LabelledDataRecipe):
    """Fields of [`LabelledDataRecipe`], and this.

    Args:
        source_size (`int`, *optional*): edge of the square photos that regions are cropped from in training; `None`
            crops them from the photos of the global branch. A `model.start_from` that was trained with it, or that
            was converted with a region branch, needs it again.
    """

    source_size: int | None = field(default=None, metadata=in_range(at_least=1))


@dataclass
class SamplingRecipe:
    """Choose how batches are drawn.

    Args:
        kind (`str`, *optional*, defaults to `"pk"`): `"triplets"`, as in the papers: `training.batch_size` triplets a
            step, drawn one by one. `"pk"`: P values with K images each, and all triplets among them.
        triplets_an_epoch (`int`, *optional*, defaults to 100000): of kind `"triplets"`, over all processes.
        extra_views (`int`, *optional*, defaults to 2): of kind `"triplets"`: augmented views of each anchor, 0 to 2.
        batches_an_epoch (`int`, *optional*, defaults to 1000): of kind `"pk"`, over all processes.
        values_per_group (`int`, *optional*, defaults to 8): P.
        images_per_value (`int`, *optional*, defaults to 4): K.
        attributes_per_batch (`int`, *optional*, defaults to 2): groups of P x K images in a batch, each of another
            attribute.
        triplet_limit (`int`, *optional*, defaults to 20000): of kind `"pk"`: the most triplets in a step; if there are
            more, this number is drawn.
    """

    kind: str = "pk"
    triplets_an_epoch: int = field(default=100_000, metadata=in_range(at_least=1))
    extra_views: int = field(default=2, metadata=in_range(at_least=0, at_most=2))
    batches_an_epoch: int = field(default=1000, metadata=in_range(at_least=1))
    values_per_group: int = field(default=8, metadata=in_range(at_least=2))
    images_per_value: int = field(default=4, metadata=in_range(at_least=2))
    attributes_per_batch: int = field(default=2, metadata=in_range(at_least=1))
    triplet_limit: int = field(default=20_000, metadata=in_range(at_least=1))


@dataclass
class DivergingRecipe:
    """Settings of attribute diverging, which runs if a loss of some stage reads cluster centres.

    Args:
        momentum (`float`, *optional*, defaults to 0.995): mu of equation 10.
        capacity (`int`, *optional*, defaults to 1000): n_q, features in a queue.
        min_filled (`int`, *optional*, defaults to 100): features that a queue needs before its value has a centre.
        refresh_every (`int`, *optional*, defaults to 50): n_b, steps between two refreshes of the centres.
    """

    momentum: float = field(default=0.995, metadata=in_range(at_least=0, below=1))
    capacity: int = field(default=1000, metadata=in_range(at_least=1))
    min_filled: int = field(default=100, metadata=in_range(at_least=1))
    refresh_every: int = field(default=50, metadata=in_range(at_least=1))


@dataclass
class AttributeStageRecipe(StageRecipe):
    """Fields of [`StageRecipe`], and this.

    Args:
        losses (`dict[str, float]`, *optional*): names of `ATTRIBUTE_LOSSES` (`hf_fashion/losses/attribute.py`), and
            the weight of each.
    """

    losses: dict[str, float] = field(default_factory=lambda: published_weights("asen"), metadata=in_range(at_least=0))


@dataclass
class AttributeTrainingRecipe(TrainingRecipe):
    """Fields of [`TrainingRecipe`]; `batch_size` counts triplets, and is not used for P x K batches."""

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
    card: CardRecipe = field(default_factory=CardRecipe)

    def __post_init__(self):
        require("model.architecture", self.model.architecture, ("asen", "ipad"))
        require("sampling.kind", self.sampling.kind, ("triplets", "pk"))
        sampling, diverging, batch_size = self.sampling, self.diverging, self.training.batch_size
        if sampling.kind == "triplets" and sampling.triplets_an_epoch < batch_size:
            raise ValueError(
                f"`sampling.triplets_an_epoch` is {sampling.triplets_an_epoch}, which makes no batch of "
                f"`training.batch_size` {batch_size}: draw more, or smaller batches."
            )
        if diverging.min_filled > diverging.capacity:
            raise ValueError(
                f"`diverging.min_filled` must be at most `diverging.capacity` {diverging.capacity}; got "
                f"{diverging.min_filled}."
            )
        if self.model.start_from and self.model.backbone:
            raise ValueError("`model.start_from` has its own backbone: remove `model.backbone`.")
        if self.model.start_from and self.model.attribute_texts:
            raise ValueError(
                "`model.start_from` has the texts that it was trained with, or rows instead: remove "
                "`model.attribute_texts`."
            )
        changes = {"config": self.model.config, "local_backbone": self.model.local_backbone}
        check_lora(self.model.lora_r, self.model.start_from, changes)
        check_run(self.data, self.training)
        for number, stage in enumerate(self.training.stages):
            self._check_losses(f"training.stages[{number}].losses", stage.losses)

    def _check_losses(self, where: str, losses: dict[str, float]) -> None:
        if not losses:
            raise ValueError(f"`{where}` must name at least one of {', '.join(ATTRIBUTE_LOSSES)}.")
        for name in losses:
            require(where, name, tuple(ATTRIBUTE_LOSSES))
