"""Vocabulary of the generated corpus: types of garments and their parts, colours, patterns, brands, seasons."""

from dataclasses import dataclass


COLOURS = {
    "black": (38, 38, 42),
    "white": (240, 240, 236),
    "grey": (138, 140, 144),
    "navy": (34, 46, 92),
    "blue": (58, 112, 204),
    "teal": (34, 138, 140),
    "green": (62, 152, 78),
    "olive": (112, 112, 52),
    "yellow": (240, 202, 62),
    "orange": (236, 130, 44),
    "red": (206, 46, 50),
    "pink": (238, 148, 176),
    "purple": (126, 70, 158),
    "brown": (120, 78, 50),
}
PATTERNS = ("plain", "striped", "pinstriped", "dotted", "checked", "zigzag")
SLEEVES = ("sleeveless", "short", "elbow", "long")
NECKLINES = ("round", "v", "square", "collar", "hood", "high")
HEMS = ("straight", "banded", "curved", "slanted", "scalloped")
SEASONS = ("spring", "summer", "autumn", "winter")
BRANDS = (
    "Almerick",
    "Brambeck",
    "Caldovar",
    "Dunmarsh",
    "Elvoro",
    "Halvick",
    "Kestrin",
    "Lumaro",
    "Mirtano",
    "Ondelay",
    "Quillby",
    "Zephrine",
)

TOP_PLACES = {
    "left chest": (-0.09, 0.33),
    "right chest": (0.09, 0.33),
    "left hip": (-0.09, 0.56),
    "right hip": (0.09, 0.56),
}
SKIRT_PLACES = {"left hip": (-0.08, 0.38), "right hip": (0.08, 0.38), "hem": (0.0, 0.6)}


@dataclass(frozen=True)
class ArticleType:
    """Parts that a type of garment can have.

    Args:
        sleeves (`tuple[str, ...]`): its sleeves; empty if it has none.
        necklines (`tuple[str, ...]`): its necklines; empty if it has none.
        hems (`tuple[str, ...]`): its hems.
        places (`dict[str, tuple[float, float]]`): name -> place of the brand's mark, in garment units (x from the
            middle to the right, y from the top down).
    """

    sleeves: tuple[str, ...]
    necklines: tuple[str, ...]
    hems: tuple[str, ...]
    places: dict[str, tuple[float, float]]


ARTICLE_TYPES = {
    "t-shirt": ArticleType(SLEEVES[:3], ("round", "v", "square"), HEMS, TOP_PLACES),
    "shirt": ArticleType(("short", "elbow", "long"), ("collar",), ("straight", "curved", "slanted"), TOP_PLACES),
    "sweater": ArticleType(("elbow", "long"), ("round", "v", "high"), HEMS, TOP_PLACES),
    "hoodie": ArticleType(("short", "long"), ("hood",), ("straight", "banded"), TOP_PLACES),
    "jacket": ArticleType(("long",), ("collar", "high", "hood"), ("straight", "banded", "slanted"), TOP_PLACES),
    "coat": ArticleType(("elbow", "long"), ("collar", "high"), HEMS, {**TOP_PLACES, "hem": (0.1, 0.78)}),
    "dress": ArticleType(
        SLEEVES, ("round", "v", "square", "high"), HEMS, {"left chest": (-0.07, 0.34), "hem": (0.0, 0.78)}
    ),
    "skirt": ArticleType((), (), HEMS, SKIRT_PLACES),
    "trousers": ArticleType(
        (), (), HEMS, {"left thigh": (-0.1, 0.42), "right thigh": (0.1, 0.42), "left shin": (-0.11, 0.7)}
    ),
    "shorts": ArticleType((), (), HEMS, {"left thigh": (-0.1, 0.4), "right thigh": (0.1, 0.4)}),
}
