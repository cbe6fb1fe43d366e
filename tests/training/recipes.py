"""The recipes of the repository, and what each is read as."""

from pathlib import Path

from hf_fashion.training.attribute.pretraining import PretrainingRecipe
from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.e2.recipe import Recipe
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipe_file import RecipeFile
from tests.scripts.tiny_run import REPOSITORY


OF_FOLDER = {"attributes": AttributeRecipe, "feature_reasoning": FeatureReasoningRecipe}
RECIPES = sorted(REPOSITORY.glob("*/recipes/**/*.yaml"))


def recipe_class(path: Path) -> type[RecipeFile]:
    """What a recipe is read as: its folder says it, and the name of those for backbones."""
    if path.stem.startswith("backbone"):
        return PretrainingRecipe
    within = path.as_posix().rpartition("recipes/")[2]
    return OF_FOLDER.get(within.split("/")[0], Recipe)
