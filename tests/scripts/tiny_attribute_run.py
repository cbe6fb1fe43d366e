"""A corpus of drawn photos with two attributes, and recipes that train attribute-specific models on it in seconds."""

from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset, Image
from PIL import Image as PILImage

from tests.scripts.tiny_run import COLOURS, save_corpus


PLACES = {"top": 0, "middle": 10, "bottom": 20}
SIZE = 32

# Not fewer than 8 channels: with 4, oneDNN's 1x1 convolution of stride 2 writes beyond its memory in the backward
# pass, on processors with AVX2 and without AVX-512 (torch 2.13).
BACKBONE = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
BACKBONE |= {"layer_type": "basic", "out_features": ["stage2"]}
# Without batch norm, whose statistics depend on how a batch is divided among processes.
CONVNEXT = {"model_type": "convnext", "num_stages": 2, "hidden_sizes": [4, 8], "depths": [1, 1]}
CONVNEXT |= {"out_features": ["stage2"]}
VIT = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
VIT |= {"image_size": 16, "patch_size": 8}
SIZES = {"image_size": SIZE, "attention_dim": 8, "attribute_dim": 6, "embedding_dim": 8, "backbone_config": BACKBONE}
ASEN = {"architecture": "asen", "config": SIZES}
LOCAL = {"local_image_size": 16, "local_attention_dim": 8, "local_backbone_config": BACKBONE}
IPAD = {"architecture": "ipad", "config": SIZES | {"vit_config": VIT}}


def tiny_attribute_corpus(folder: Path, train_rows: int = 24, validation_rows: int = 12) -> Path:
    """Saves photos of a bar on a plain ground: `colour` is the ground's, `place` the bar's; every fourth lacks it."""
    (folder / "map.yaml").write_text("attributes: {colour: colour, place: place}\n")
    return save_corpus(folder, _rows, train_rows, validation_rows)


def _rows(numbers: range) -> Dataset:
    colours, places = (list(COLOURS), list(PLACES))
    columns: dict[str, list] = {"image": [], "colour": [], "place": []}
    for number in numbers:
        colour, place = colours[number % 3], places[number // 3 % 3]
        photo = PILImage.new("RGB", (SIZE, SIZE), COLOURS[colour])
        photo.paste((255, 255, number), (0, PLACES[place], SIZE, PLACES[place] + 10))
        row = {"image": photo, "colour": colour, "place": None if number % 4 == 0 else place}
        for name, value in row.items():
            columns[name].append(value)
    return Dataset.from_dict(columns).cast_column("image", Image())


def tiny_attribute_recipe(
    folder: Path, model: dict[str, Any], sampling: dict[str, Any], data: dict[str, Any] | None = None, **training
) -> Path:
    """Writes a recipe for `tiny_attribute_corpus` and returns its path."""
    places = {"corpus": str(folder / "corpus"), "column_map": str(folder / "map.yaml")}
    recipe = {
        "model": model,
        "data": places | {"cache_folder": str(folder / "photos")} | (data or {}),
        "sampling": sampling,
        "diverging": {"momentum": 0.9, "capacity": 4, "min_filled": 1, "refresh_every": 1},
        "training": {"output_dir": str(folder / "run"), "batch_size": 2, "log_every": 1} | training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder / "recipe.yaml"
