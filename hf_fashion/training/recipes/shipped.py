"""Recipes that come with the package, found by name."""

from pathlib import Path

from ...messages import did_you_mean
from ...yaml_files import read_yaml


FOLDER = Path(__file__).parent
# Folder of the recipes -> the model that they train. Recipes that are in no folder train E2 or a CLIP.
MODEL_OF_FOLDER = {
    "attributes": "attribute",
    "feature_reasoning": "feature_reasoning",
    "combiner": "combiner",
    "captioner": "captioner",
}


def shipped_recipes(model: str | None = None) -> dict[str, Path]:
    """Return the recipes that come with the package, name -> file, without those that are only parts of others.

    Args:
        model (`str`, *optional*): what `hf-fashion train` calls the model that they train. `None`: of all models.
    """
    paths = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.yaml"))}
    runs = {name: path for name, path in paths.items() if _is_run(path)}
    return {name: path for name, path in runs.items() if model in (None, model_of(name))}


def find_recipe(recipe: str, model: str) -> Path:
    """Return the file of a recipe.

    Args:
        recipe (`str`): the path of a YAML file, or the name of a shipped recipe.
        model (`str`): the model that it is for, as `hf-fashion train` calls it.

    Raises:
        FileNotFoundError: if it is the path of a file that is not there.
        ValueError: if it is neither a file nor the name of a shipped recipe, or the recipe is for another model.
    """
    shipped = shipped_recipes()
    if recipe in shipped and not Path(recipe).is_file():
        if model_of(recipe) != model:
            raise ValueError(f"{recipe!r} is a recipe for `hf-fashion train {model_of(recipe)}`, not for {model}.")
        return shipped[recipe]
    if Path(recipe).is_file():
        return Path(recipe)
    if Path(recipe).suffix in (".yaml", ".yml"):
        raise FileNotFoundError(f"there is no recipe at {recipe}; `hf-fashion recipes` lists those of the package.")
    names = shipped_recipes(model)
    raise ValueError(
        "the recipe must be a YAML file or the name of a shipped recipe; "
        f"got {recipe!r}{did_you_mean(recipe, names)}. Those of {model} are {', '.join(names)}."
    )


def model_of(name: str) -> str:
    """Return the model that a shipped recipe trains, as `hf-fashion train` calls it.

    Args:
        name (`str`): of the recipe.
    """
    folder, _, last = name.rpartition("/")
    return "backbone" if last.startswith("backbone") else MODEL_OF_FOLDER.get(folder.split("/")[0], "e2")


def describe(path: Path) -> str:
    """Return the first sentence of a recipe's first comment: what it trains.

    Args:
        path (`Path`): a shipped recipe.
    """
    first = path.read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ").partition(". ")[0].removesuffix(".")


def _is_run(path: Path) -> bool:
    """Whether it names its output folder; a part of other recipes leaves that to them."""
    return "output_dir" in read_yaml(path).get("training", {})
