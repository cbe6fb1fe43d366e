"""The combiner that a run starts with."""

from transformers import PreTrainedModel

from ...embedding.capabilities import check_has_vectors, entity_names, region_spaces
from ...models.combiner.configuration_combiner import CombinerConfig
from ...models.combiner.modeling_combiner import CombinerModel
from ..recipe_file import check_keys
from .recipe import CombinerModelRecipe


# Fields of the configuration that are the run's own; the others follow from the embedding model.
OWN_FIELDS = {"hidden_size", "dropout", "logit_scale_init_value"}


def make_model(recipe: CombinerModelRecipe, embedder: PreTrainedModel, embed_dim: int) -> CombinerModel:
    """Return a new combiner, which leaves the queries of arithmetic as they are.

    Args:
        recipe (`CombinerModelRecipe`): the configuration.
        embedder (`PreTrainedModel`): whose embeddings it combines.
        embed_dim (`int`): d, their dimension.

    Raises:
        ValueError: `model.config` has another key, or a value that the configuration refuses.
    """
    check_keys("model.config", recipe.config, OWN_FIELDS)
    return CombinerModel(
        CombinerConfig(spaces=searched_spaces(recipe, embedder), embed_dim=embed_dim, **recipe.config)
    )


def searched_spaces(recipe: CombinerModelRecipe, embedder: PreTrainedModel) -> list[str]:
    """Return the spaces that the combiner searches.

    Args:
        recipe (`CombinerModelRecipe`): whether E2's regions are searched.
        embedder (`PreTrainedModel`): an E2, CLIP or SigLIP.

    Raises:
        ValueError: the model reads no text, or has no single vector of a photo.
    """
    check_has_vectors(embedder.config)
    if not hasattr(embedder, "get_text_features"):
        raise ValueError(
            f"`model.embedder` must read texts, got {type(embedder).__name__}: name an E2, CLIP or SigLIP"
        )
    return ["image", *(region_spaces(embedder, entity_names(embedder)) if recipe.regions else [])]
