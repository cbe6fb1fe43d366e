"""A training run of a combiner as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ..recipe import CardRecipe, DataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile
from ..recipe_ranges import in_range


@dataclass
class CombinerModelRecipe:
    """Choose the combiner and the embedding model whose embeddings it combines.

    Args:
        embedder (`str`): folder or Hub id of the embedding model: an E2, CLIP or SigLIP.
        regions (`bool`, *optional*, defaults to `True`): whether E2's regions are searched too, which a gallery must
            then keep.
        config (`dict`, *optional*): fields of `CombinerConfig`: `hidden_size`, `dropout`, `logit_scale_init_value`.
    """

    embedder: str = ""
    regions: bool = True
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class TriplesRecipe:
    """Choose the queries to learn from: a photo, words that change one tag of it, and the products to find.

    Args:
        per_entity (`int`, *optional*, defaults to 5000): how many queries that change each tag entity to draw at
            random; all of an entity that has fewer.
    """

    per_entity: int = field(default=5000, metadata=in_range(at_least=1))


@dataclass
class CombinerRecipe(RecipeFile):
    """A run: the model, its data, its queries, its training."""

    model: CombinerModelRecipe = field(default_factory=CombinerModelRecipe)
    data: DataRecipe = field(default_factory=DataRecipe)
    triples: TriplesRecipe = field(default_factory=TriplesRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)
    card: CardRecipe = field(default_factory=CardRecipe)

    def __post_init__(self):
        if not self.model.embedder:
            raise ValueError("`model.embedder` must name the embedding model whose embeddings are combined.")
        if self.training.gradient_checkpointing:
            raise ValueError("`training.gradient_checkpointing` must be false: a combiner has no layers to recompute.")
        check_run(self.data, self.training)
