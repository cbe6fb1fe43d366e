"""Tables of more text than 32-bit offsets can count, 2 GB a column."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as kinds


def with_large_texts(table: pa.Table) -> pa.Table:
    """Return a table whose texts, and lists of them, have 64-bit offsets: rows of it can be taken.

    Arrow joins the chunks of a column before it takes rows of it, and fails where they have more than 2 GB of text.

    Args:
        table (`pyarrow.Table`): with any columns. Those without text stay as they are.
    """
    return table.cast(pa.schema([field.with_type(_large(field.type)) for field in table.schema]))


def _large(kind: pa.DataType) -> pa.DataType:
    if kinds.is_string(kind):
        return pa.large_string()
    if kinds.is_binary(kind):
        return pa.large_binary()
    if kinds.is_list(kind) and _large(kind.value_type) != kind.value_type:
        return pa.large_list(_large(kind.value_type))
    return kind
