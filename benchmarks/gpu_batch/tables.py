"""Tables of the results of `gpu.py`, for the README of the benchmarks."""

import json
from pathlib import Path

from benchmarks.runs import markdown, spread


TEXT_COLUMNS = ("image_to_text_recall@1", "text_to_image_recall@1", "sum_recall")
ATTRIBUTE_COLUMNS = (
    *("map", "whole_photo_map", "region_map", "fr/map", "query expansion/map", "k-reciprocal/map"),
    *("fr/share_better", "fr/share_worse"),
)


def tables(results: Path) -> str:
    """Return one Markdown table of E2's rows by recall, one by tags, and one of attribute models.

    Args:
        results (`Path`): folder of `seed-<seed>.json`.

    Raises:
        FileNotFoundError: there are no results.
        ValueError: the results are of several packed folders.
    """
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("seed-*.json"))]
    if not files:
        raise FileNotFoundError(f"{results} has no seed-*.json: run benchmarks/gpu.py first")
    if len({file["packed"] for file in files}) > 1:
        raise ValueError(f"the results in {results} are of several packed folders")
    runs: dict[str, list[dict[str, float]]] = {}
    for file in files:
        for unit, found in file["units"].items():
            for row, metrics in found["rows"].items():
                runs.setdefault(f"{unit.rpartition('/')[0]}/{row}", []).append(metrics)
    texts = {row: seeds for row, seeds in runs.items() if TEXT_COLUMNS[0] in seeds[0]}
    attributes = {row: seeds for row, seeds in runs.items() if "map" in seeds[0]}
    tags = sorted({key for seeds in texts.values() for key in seeds[0] if key.endswith(("_accuracy", "_map"))})
    kinds = ((texts, TEXT_COLUMNS), (texts, tags), (attributes, ATTRIBUTE_COLUMNS))
    return "\n\n".join(_table(rows, columns) for rows, columns in kinds if rows)


def _table(rows: dict[str, list[dict[str, float]]], columns: tuple[str, ...] | list[str]) -> str:
    cells = [
        [row, str(len(seeds)), *(_cell([seed[column] for seed in seeds if column in seed]) for column in columns)]
        for row, seeds in rows.items()
    ]
    return markdown(["row", "seeds", *columns], cells)


def _cell(values: list[float]) -> str:
    return spread(values) if values else ""
