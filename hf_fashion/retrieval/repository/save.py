"""Saves a gallery as a repository of `datasets`: parquet, JSON and safetensors, and a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub.utils import tqdm
from safetensors.numpy import save_file

from ...files import folder_written_aside, sha256_of
from ..schema import ID, GallerySchema
from ..stored_axes import read_spaces
from ..stores.base import VectorStore
from .card import gallery_card
from .columns import metadata_features, vector_columns
from .manifest import ATTACHMENTS, SHARD, GalleryManifest


SHARD_ROWS = 100_000  # of 512 dimensions: 100 MB
BLOCK_ROWS = 10_000  # in memory at a time


def save_gallery(store: VectorStore, folder: Path, name: str) -> None:
    """Write a gallery into a new folder, which appears when all of it is written.

    Products are sorted by their ids, so that the same gallery gives the same files.

    Args:
        store (`VectorStore`): the gallery's table.
        folder (`Path`): must not exist; its parents are made where they are missing.
        name (`str`): the gallery's name on the card, a path or an id to load it by.

    Raises:
        FileExistsError: there is something at `folder`.
        ValueError: a metadata column is of a type that `datasets` does not know.
        RuntimeError: the gallery was changed meanwhile.
    """
    if folder.exists():
        raise FileExistsError(f"there is something at {folder} already; delete it, or save the gallery elsewhere")
    with folder_written_aside(folder) as aside:
        (aside / "data").mkdir()
        manifest = _write_files(store, aside)
        manifest.write(aside)
        (aside / "README.md").write_text(gallery_card(manifest, name), encoding="utf-8")


def _write_files(store: VectorStore, folder: Path) -> GalleryManifest:
    version = store.refresh()
    schema = GallerySchema.from_table(store.schema)
    metadata_features(schema.metadata)  # raises before anything is written
    ids = sorted(store.read([ID])[ID].to_pylist())
    starts = range(0, max(len(ids), 1), SHARD_ROWS)  # of an empty gallery one shard without rows: it has the columns
    parts = {SHARD.format(number, len(starts)): ids[at : at + SHARD_ROWS] for number, at in enumerate(starts)}
    manifest = GalleryManifest(schema, vector_columns(schema), {path: len(part) for path, part in parts.items()}, {})
    with tqdm(total=len(ids), desc="saving", unit="product") as bar:
        for path, part in parts.items():
            _write_shard(store, manifest, part, folder / path, bar)
    attachments = store.attachments()
    read_spaces(schema, attachments, store.uri)  # nobody could load vectors without their axes
    files = [*parts, *_write_attachments(attachments, folder)]
    if store.refresh() != version:
        raise _changed(store)
    return replace(manifest, sha256={path: sha256_of(folder / path) for path in files})


def _write_shard(store: VectorStore, manifest: GalleryManifest, ids: Sequence[str], path: Path, bar: tqdm) -> None:
    schema, columns = manifest.file_schema(), manifest.schema.to_table().names
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, len(ids), BLOCK_ROWS):
            block = ids[start : start + BLOCK_ROWS]
            rows = store.read(columns, ids=block)
            if len(rows) != len(block):
                raise _changed(store)
            rows = rows.take(pc.index_in(pa.array(block), rows[ID]))
            file.write_table(rows.rename_columns(schema.names).cast(schema))
            bar.update(len(block))


def _write_attachments(attachments: dict[str, bytes], folder: Path) -> list[str]:
    """Write the file, if there are attachments, and return its name."""
    if not attachments:
        return []
    save_file({name: np.frombuffer(value, np.uint8) for name, value in attachments.items()}, folder / ATTACHMENTS)
    return [ATTACHMENTS]


def _changed(store: VectorStore) -> RuntimeError:
    return RuntimeError(f"the gallery at {store.uri} was changed while it was being saved. Save it again")
