"""Checks a catalogue before its model is loaded: columns, ids, and all photos in one pass."""

from __future__ import annotations

import logging
from typing import Any

from datasets import Dataset

from ...data.checks import without_rows
from ...data.encoded_photos import BadImage, verify_images
from ...data.sources.image_column import decode_images
from ...data.sources.source_rows import name_sources
from ...messages import listed
from .catalogue import id_problems, read_ids, require_columns
from .processes import Processes


logger = logging.getLogger(__name__)


def check_catalogue(
    catalogue: dict[str, Any], on_bad_image: str | None = "error", processes: Processes | None = None
) -> dict[str, Any]:
    """Return a catalogue whose ids differ and whose photos can all be read. Several processes share the work.

    ```python
    catalogue = check_catalogue(load_catalogue("catalogue.csv", id_column="sku", require_files=False), "skip")
    ```

    Args:
        catalogue (`dict`): what `load_catalogue` returns.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"error"`, or `"skip"` to drop the rows of unreadable
            photos and log them. `None` is an error where the caller has no choice to offer.
        processes (`Processes`, *optional*): those that call this together, each with the same catalogue.

    Raises:
        ValueError: naming all that was found, by row, id and path: a column is missing, products have no id or the
            same one, or photos cannot be read and `on_bad_image` is not `"skip"` or no other is left.
    """
    processes = processes or Processes()
    dataset, id_column, image_column = (catalogue[name] for name in ("dataset", "id_column", "image_column"))
    require_columns(dataset, id_column, image_column, catalogue["metadata_columns"])
    problems = id_problems(dataset, read_ids(dataset, id_column), id_column, image_column)
    bad = _bad_photos(decode_images(dataset, image_column), image_column, processes)
    places = name_sources(dataset, [image.row for image in bad], id_column, image_column)
    lines = [f"{place}: {image.reason}" for place, image in zip(places, bad, strict=True)]
    head = f"{len(bad):,} of {len(dataset):,} photos cannot be read"
    if bad and (on_bad_image != "skip" or len(bad) == len(dataset)):
        choice = ", or skip them with on_bad_image=skip (--on_bad_image skip)" if on_bad_image == "error" else ""
        problems.append(listed(f"{head}. Repair them{choice}", lines))
    if problems:
        several = ["the catalogue cannot be embedded as it is:", *(f"- {problem}" for problem in problems)]
        raise ValueError(problems[0] if len(problems) == 1 else "\n".join(several))
    if bad and processes.is_main:
        logger.warning("%s", listed(f"{head}; they are skipped", lines))
    return catalogue | {"dataset": without_rows(dataset, bad)}


def _bad_photos(dataset: Dataset, column: str, processes: Processes) -> list[BadImage]:
    """Those that all processes have found, each in its share of the rows."""
    rows = range(processes.index, len(dataset), processes.number)
    share = dataset.select_columns(column).select(rows)
    mine = processes.attempt(verify_images, share, column, "photos", True)
    found = processes.exchange([BadImage(rows[image.row], image.reason) for image in mine or []])
    processes.agree()
    return sorted((image for part in found for image in part), key=lambda image: image.row)
