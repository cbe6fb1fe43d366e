"""A training run of FR as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ..recipe import DataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require


@dataclass
class FeatureReasoningModelRecipe:
    """Args:
    embedder (`str`): folder or Hub id of the model whose searches are to be re-ranked: an attribute-specific one, or
        an E2 or CLIP, whose descriptions ask for photos.
    start_from (`str`, *optional*): folder or Hub id of a trained FR; its configuration counts where `config` says
        nothing. A model of two rounds learns best from one of a single round.
    config (`dict`): fields of `FeatureReasoningConfig`.
    """

    embedder: str = ""
    start_from: str | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class ReasoningDataRecipe(DataRecipe):
    """Fields of [`DataRecipe`], and these.

    Args:
        attributes (`list[str]`, *optional*): those of the column map to search by; `None`: all that the embedder has.
    """

    attributes: list[str] | None = None


@dataclass
class ListsRecipe:
    """Which lists teach something.

    Args:
        max_average_precision (`float`): lists that are better already are left out.
        min_positives (`int`): lists with fewer right candidates are left out. A description has one right photo.
        per_attribute (`int`, *optional*): at most so many lists of each attribute, drawn at random; `None`: all.
    """

    max_average_precision: float = 0.8
    min_positives: int = 6
    per_attribute: int | None = None


@dataclass
class ReasoningLossRecipe:
    """Args:
    pairs (`str`): `"all"`, equation 17; or `"query"`, those with the query alone, as in SSR.
    learn_scale (`bool`): whether the factor on the cosines is learned, as in SSR, or stays what
        `model.config.logit_scale_init_value` says.
    """

    pairs: str = "all"
    learn_scale: bool = False


@dataclass
class FeatureReasoningRecipe(RecipeFile):
    """A run: the model, its data (`train` is what the embedder has not seen), its lists, its loss, its training."""

    model: FeatureReasoningModelRecipe = field(default_factory=FeatureReasoningModelRecipe)
    data: ReasoningDataRecipe = field(default_factory=ReasoningDataRecipe)
    lists: ListsRecipe = field(default_factory=ListsRecipe)
    loss: ReasoningLossRecipe = field(default_factory=ReasoningLossRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)

    def __post_init__(self):
        if not self.model.embedder:
            raise ValueError("`model.embedder` must name the embedding model whose searches are re-ranked.")
        require("loss.pairs", self.loss.pairs, ("all", "query"))
        if not 0 < self.lists.max_average_precision <= 1:
            raise ValueError(
                f"`lists.max_average_precision` must lie above 0 and up to 1; got {self.lists.max_average_precision}."
            )
        if self.lists.min_positives < 1:
            raise ValueError(f"`lists.min_positives` must be at least 1; got {self.lists.min_positives}.")
        if self.lists.per_attribute is not None and self.lists.per_attribute < 1:
            raise ValueError(f"`lists.per_attribute` must be at least 1, or null; got {self.lists.per_attribute}.")
        if self.training.gradient_checkpointing:
            raise ValueError("`training.gradient_checkpointing` must be false: FR has no layers to recompute.")
        check_run(self.data, self.training)
