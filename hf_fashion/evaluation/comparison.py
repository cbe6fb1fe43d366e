"""Models beside each other, chance and ceiling: the figures of several evaluations as the rows of one table."""

from collections.abc import Mapping, Sequence
from typing import Any


Figures = Mapping[str, Any]
Table = tuple[list[str], list[list[str]]]  # header, rows

DIRECTIONS = {"image to text": "image_to_text", "text to image": "text_to_image"}
LOCALISATION_RULES = {"centre in box": "centre_inside", "overlaps box": "overlaps"}


def recall_comparison(figures: Mapping[str, Figures], ks: Sequence[int] = (1, 5, 10)) -> Table:
    """Recall of every model in percent, between what guessing and what a perfect model reaches.

    Args:
        figures: model -> what `evaluate_cross_modal` returns with `pairing="distinct_titles"`; the same candidates.
        ks: numbers of results.

    Returns:
        Header and rows: a row a direction and k, a column a model, then `chance` and `ceiling`.
    """
    first = next(iter(figures.values()))
    rows = []
    for label, direction in DIRECTIONS.items():
        candidates = first["num_texts" if direction == "image_to_text" else "num_images"]
        for k in ks:
            values = [row[f"{direction}_recall@{k}"] for row in figures.values()]
            ceiling = first[f"{direction}_recall_ceiling@{k}"]
            rows.append([f"{label} R@{k}", *map(percent, [*values, min(1.0, k / candidates), ceiling])])
    return ["%", *figures, "chance", "ceiling"], rows


def tag_comparison(figures: Mapping[str, Figures], entities: Sequence[str]) -> Table:
    """Share of photos whose tag is named right, from image and, where a model has them, region embeddings.

    Args:
        figures: model -> what `evaluate_tags` returns; the same photos.
        entities: the rows.

    Returns:
        Header and rows; `most frequent` is the share that naming the most frequent tag always would reach.
    """
    first = next(iter(figures.values()))
    kinds = [
        (f"{model}, {kind}", kind, row)
        for model, row in figures.items()
        for kind in ("image", "region")
        if f"{entities[0]}_{kind}_accuracy" in row
    ]
    rows = []
    for entity in entities:
        values = [row[f"{entity}_{kind}_accuracy"] for _, kind, row in kinds]
        values.append(first[f"{entity}_majority_rate"])
        rows.append([entity, str(first[f"{entity}_num_tags"]), *map(percent, values)])
    return ["%", "tags", *(label for label, _, _ in kinds), "most frequent"], rows


def localisation_comparison(figures: Figures, entities: Sequence[str]) -> Table:
    """Share of photos where a token of the entity takes a patch of its true box, beside chance and ceiling.

    Args:
        figures: what `evaluate_localisation` returns.
        entities: the rows; one without boxes is left out.

    Returns:
        Header and rows.
    """
    ends = ("", "_chance", "_ceiling")
    header = ["%", *(label + end.replace("_", ", ") for label in LOCALISATION_RULES for end in ends)]
    rows = [
        [entity, *(percent(figures[f"{entity}_{rule}{end}"]) for rule in LOCALISATION_RULES.values() for end in ends)]
        for entity in entities
        if f"{entity}_num_images" in figures
    ]
    return header, rows


def percent(share: float) -> str:
    """A share from 0 to 1 in percent, with one digit."""
    return f"{100 * share:.1f}"
