"""A training run of FR as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ..recipe import CardRecipe, LabelledDataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require
from ..recipe_ranges import in_range


@dataclass
class FeatureReasoningModelRecipe:
    """Choose the FR model and the embedding model whose searches it re-ranks.

    Args:
        embedder (`str`): folder or Hub id of the embedding model whose searches are re-ranked: an attribute-specific
            one, or an E2 or CLIP, which searches photos by their descriptions.
        start_from (`str`, *optional*): folder or Hub id of a trained FR; `config` overrides its configuration. A model
            of two rounds learns best from one of a single round.
        config (`dict`, *optional*): fields of `FeatureReasoningConfig`.
    """

    embedder: str = ""
    start_from: str | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class ListsRecipe:
    """Choose the candidate lists to learn from.

    Args:
        max_average_precision (`float`, *optional*, defaults to 0.8): lists with a higher one are left out.
        min_positives (`int`, *optional*, defaults to 6): lists with fewer right candidates are left out. A description
            has only one right photo.
        per_attribute (`int`, *optional*): how many lists of each attribute to draw at random; `None`: all.
    """

    max_average_precision: float = field(default=0.8, metadata=in_range(above=0, at_most=1))
    min_positives: int = field(default=6, metadata=in_range(at_least=1))
    per_attribute: int | None = field(default=None, metadata=in_range(at_least=1))


@dataclass
class ReasoningLossRecipe:
    """Choose the pairs of the loss, and whether its scale is learned.

    Args:
        pairs (`str`, *optional*, defaults to `"all"`): `"all"`, equation 17; or `"query"`, only pairs with the query,
            as in SSR.
        learn_scale (`bool`, *optional*, defaults to `False`): learn the factor on the cosines, as SSR does, or keep
            `model.config.logit_scale_init_value`.
    """

    pairs: str = "all"
    learn_scale: bool = False


@dataclass
class FeatureReasoningRecipe(RecipeFile):
    """A run: the model, its data (`train` must be new to the embedder), its lists, its loss, its training."""

    model: FeatureReasoningModelRecipe = field(default_factory=FeatureReasoningModelRecipe)
    data: LabelledDataRecipe = field(default_factory=LabelledDataRecipe)
    lists: ListsRecipe = field(default_factory=ListsRecipe)
    loss: ReasoningLossRecipe = field(default_factory=ReasoningLossRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)
    card: CardRecipe = field(default_factory=CardRecipe)

    def __post_init__(self):
        if not self.model.embedder:
            raise ValueError("`model.embedder` must name the embedding model whose searches are re-ranked.")
        require("loss.pairs", self.loss.pairs, ("all", "query"))
        if self.training.gradient_checkpointing:
            raise ValueError("`training.gradient_checkpointing` must be false: FR has no layers to recompute.")
        check_run(self.data, self.training)
