"""Names and types of the columns of a saved gallery: readable names for vectors, types of `datasets`."""

from __future__ import annotations

import re
from itertools import count

import pyarrow as pa
from datasets import Features

from ..schema import ID, GallerySchema


def vector_columns(schema: GallerySchema) -> dict[str, str]:
    """Name a column for each space, `"sleeve length"` -> `"sleeve_length_embeds"`, unlike all other columns.

    Args:
        schema (`GallerySchema`): the gallery's.
    """
    taken = {ID, *(name.lower() for name in schema.metadata.names)}
    columns = {}
    for space in schema.spaces:
        name = (re.sub(r"\W+", "_", space).strip("_") or "space") + "_embeds"
        numbered = (name if number == 1 else f"{name}_{number}" for number in count(1))
        columns[space] = next(column for column in numbered if column.lower() not in taken)
        taken.add(columns[space].lower())
    return columns


def metadata_features(metadata: pa.Schema) -> Features:
    """Return the metadata columns as `Features` of `datasets`.

    Args:
        metadata (`pyarrow.Schema`): names and types.

    Raises:
        ValueError: `datasets` does not know a type, or reads it as another one.
    """
    features = {}
    for field in metadata:
        try:
            known = Features.from_arrow_schema(pa.schema([field]))
        except ValueError:
            known = Features()
        if known.type != pa.struct([(field.name, field.type)]):
            raise ValueError(
                f"metadata column {field.name!r} is of type {field.type}, which `datasets` cannot keep. It keeps "
                "strings, numbers, booleans, dates and lists of them: make a gallery with these"
            )
        features |= known
    return Features(features)
