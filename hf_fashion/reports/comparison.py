"""Models beside each other, chance and ceiling: the figures of several evaluations as the rows of one table."""

from collections.abc import Mapping, Sequence
from typing import Any

from .tables import Cells, cell


Figures = Mapping[str, Any]

DIRECTIONS = {"image to text": "image_to_text", "text to image": "text_to_image"}


def recall_comparison(figures: Mapping[str, Figures], ks: Sequence[int] = (1, 5, 10)) -> Cells:
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
            chance = min(1.0, k / candidates)
            values = [row[f"{direction}_recall@{k}"] for row in figures.values()]
            ceiling = first[f"{direction}_recall_ceiling@{k}"]
            rows.append([f"{label} R@{k}", *map(cell, [*values, chance, ceiling])])
    return ["%", *figures, "chance", "ceiling"], rows


def tag_comparison(figures: Mapping[str, Figures], entities: Sequence[str]) -> Cells:
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
        rows.append([entity, str(first[f"{entity}_num_tags"]), *map(cell, values)])
    return ["%", "tags", *(label for label, _, _ in kinds), "most frequent"], rows
