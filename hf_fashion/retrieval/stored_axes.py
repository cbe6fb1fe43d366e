"""Keep the axes of a gallery's spaces next to its table, as attachments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from .schema import GallerySchema
from .stores.base import damage
from .vector_column import Space


def axes_as_attachments(schema: GallerySchema, axes: Mapping[str, Tensor]) -> dict[str, bytes]:
    """Return axes as attachments, named bytes in float32.

    Args:
        schema (`GallerySchema`): schema of the gallery.
        axes (`Mapping[str, torch.Tensor]`): axes of each space that has some, (d, r), orthonormal.

    Raises:
        ValueError: axes are not orthonormal, or do not fit their space.
    """
    attachments = {}
    for name, matrix in axes.items():
        space = Space(name, schema.column(name), schema.spaces[name], matrix.float().cpu())
        rows = space.axes.T.contiguous().numpy().astype("<f4")
        attachments |= {_name(space.column, number): row.tobytes() for number, row in enumerate(rows)}
    return attachments


def read_spaces(schema: GallerySchema, attachments: Mapping[str, bytes], uri: str) -> dict[str, Space]:
    """Return all spaces of a gallery by name, with the axes that [`axes_as_attachments`] wrote.

    Args:
        schema (`GallerySchema`): schema of the gallery.
        attachments (`Mapping[str, bytes]`): attachments of the gallery's store.
        uri (`str`): URI of the gallery, for errors.

    Raises:
        OSError: an axis is missing or damaged.
    """
    spaces = {}
    for name, dimension in schema.spaces.items():
        column = schema.column(name)
        rows = []
        for number in range(schema.axes.get(name, 0)):
            if (axis := _name(column, number)) not in attachments:
                raise damage(uri, f"an axis of its vectors is missing ({axis})")
            rows.append(attachments[axis])
        try:
            rows = [np.frombuffer(row, "<f4") for row in rows]
            spaces[name] = Space(name, column, dimension, torch.tensor(np.stack(rows, axis=1)) if rows else None)
        except ValueError as error:
            raise damage(uri, f"the axes stored for its vectors are not valid ({error})") from error
    return spaces


def _name(column: str, number: int) -> str:
    return f"{column}/{number}"
