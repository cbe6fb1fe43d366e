"""Generate the corpus as a `DatasetDict`."""

import io

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value

from .captions import write_caption
from .drawing import draw_product
from .look import SPLITS, draw_look
from .vocabulary import HEMS, NECKLINES, PATTERNS, SLEEVES


ENTITIES = ("article_type", "brand", "season", "colour", "pattern", "sleeve", "neckline", "hem")
FEATURES = Features(
    {
        "image": Image(),
        "product_id": Value("string"),
        "caption": Value("string"),
        "article_type": Value("string"),
        "brand": Value("string"),
        "season": Value("string"),
        "colour": Value("string"),
        "pattern": ClassLabel(names=list(PATTERNS)),
        "sleeve": ClassLabel(names=list(SLEEVES)),
        "neckline": ClassLabel(names=list(NECKLINES)),
        "hem": ClassLabel(names=list(HEMS)),
        "mark_place": Value("string"),
        "boxes": {entity: List(Value("int32")) for entity in ENTITIES},
    }
)


def make_generated_corpus(
    train_rows: int = 4000, validation_rows: int = 500, image_size: int = 96, seed: int = 0
) -> DatasetDict:
    """
    Generate a corpus of garments: JPEG images, titles, tags, attribute labels and the true box of every attribute.

    The same seed gives the same bytes, and a row does not depend on the number of rows. No combination of type,
    colour, pattern and brand is in both splits, so no title is either.

    Args:
        train_rows (`int`, *optional*, defaults to 4000): products of the train split, at least 1.
        validation_rows (`int`, *optional*, defaults to 500): products of the validation split, at least 1.
        image_size (`int`, *optional*, defaults to 96): side of the images in pixels, at least 32.
        seed (`int`, *optional*, defaults to 0): not negative.

    Returns:
        `DatasetDict`: splits `train` and `validation` with the columns of `FEATURES`. `boxes` maps an entity to
        [x0, y0, x1, y1] in pixels, where x1 and y1 are the first outside; null if the product has no such part.

    Raises:
        ValueError: if a number is out of range.
    """
    limits = {"train_rows": (train_rows, 1), "validation_rows": (validation_rows, 1)}
    limits |= {"image_size": (image_size, 32), "seed": (seed, 0)}
    for name, (value, least) in limits.items():
        if value < least:
            raise ValueError(f"`{name}` must be at least {least}, got {value}")
    counts = dict(zip(SPLITS, (train_rows, validation_rows), strict=True))
    return DatasetDict({split: _make_split(split, count, image_size, seed) for split, count in counts.items()})


def make_row(split: str, row: int, image_size: int, seed: int) -> dict:
    """Generate one product, as a row of `FEATURES` with the image as JPEG bytes.

    Args:
        split (`str`): `"train"` or `"validation"`.
        row (`int`): number of the row in the split.
        image_size (`int`): side of the image in pixels.
        seed (`int`): seed of the corpus.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), row])
    look = draw_look(rng, split)
    caption = write_caption(look, rng)
    image, boxes = draw_product(look, image_size, rng)
    encoded = io.BytesIO()
    image.save(encoded, format="JPEG", quality=92, subsampling=0)
    return {
        "image": {"bytes": encoded.getvalue(), "path": None},
        "product_id": f"{split}-{row:06d}",
        "caption": caption,
        "article_type": look.article_type,
        "brand": look.brand,
        "season": look.season,
        "colour": look.colour,
        "pattern": look.pattern,
        "sleeve": look.sleeve,
        "neckline": look.neckline,
        "hem": look.hem,
        "mark_place": look.place,
        "boxes": {entity: boxes[entity] for entity in ENTITIES},
    }


def _make_split(split: str, count: int, image_size: int, seed: int) -> Dataset:
    rows = [make_row(split, row, image_size, seed) for row in range(count)]
    return Dataset.from_dict({name: [row[name] for row in rows] for name in FEATURES}, features=FEATURES)
