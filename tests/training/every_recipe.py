"""The recipes of the repository, and the class of each."""

from pathlib import Path

from hf_fashion.training.attribute.recipe import AttributeRecipe
from hf_fashion.training.backbone.recipe import BackboneRecipe
from hf_fashion.training.captioner.recipe import CaptionerRecipe
from hf_fashion.training.combiner.recipe import CombinerRecipe
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.feature_reasoning.recipe import FeatureReasoningRecipe
from hf_fashion.training.recipe_file import RecipeFile
from hf_fashion.training.recipes import shipped
from tests.scripts.tiny_run import REPOSITORY


OF_FOLDER = {
    "attributes": AttributeRecipe,
    "feature_reasoning": FeatureReasoningRecipe,
    "combiner": CombinerRecipe,
    "captioner": CaptionerRecipe,
}
RECIPES = sorted([*shipped.FOLDER.rglob("*.yaml"), *REPOSITORY.glob("benchmarks/recipes/**/*.yaml")])


def recipe_class(path: Path) -> type[RecipeFile]:
    """Return the class of a recipe, which follows from its folder or, for backbones, its name."""
    if path.stem.startswith("backbone"):
        return BackboneRecipe
    within = path.as_posix().rpartition("recipes/")[2]
    return OF_FOLDER.get(within.split("/")[0], E2Recipe)
