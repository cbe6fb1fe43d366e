"""Reads and writes `gallery.json`, which describes the files of a saved gallery."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Features

from ...files import write_json
from ...messages import shown
from ..schema import GallerySchema
from .columns import metadata_features


MANIFEST = "gallery.json"
ATTACHMENTS = "attachments.safetensors"
SHARD = "data/train-{:05d}-of-{:05d}.parquet"  # `datasets` reads the split from the name
_FORMAT = 1
_SHARD = re.compile(r"data/train-(\d{5,})-of-(\d{5,})\.parquet")
# The names come from a file that anybody may have written: only these are read.
_FILE = re.compile(rf"{_SHARD.pattern}|{re.escape(ATTACHMENTS)}")


@dataclass(frozen=True)
class GalleryManifest:
    """The contents of the files of a saved gallery.

    Args:
        schema (`GallerySchema`): the gallery's.
        columns (`Mapping[str, str]`): space -> column of its vectors in the files.
        shards (`Mapping[str, int]`): path of each shard -> number of its rows.
        sha256 (`Mapping[str, str]`): path of each file, shards and attachments -> hash of its content.
    """

    schema: GallerySchema
    columns: Mapping[str, str]
    shards: Mapping[str, int]
    sha256: Mapping[str, str]

    @property
    def products(self) -> int:
        return sum(self.shards.values())

    def file_schema(self) -> pa.Schema:
        """Return the columns of the shards: those of the gallery's table, vectors under readable names."""
        names = {self.schema.column(space): column for space, column in self.columns.items()}
        return pa.schema([field.with_name(names.get(field.name, field.name)) for field in self.schema.to_table()])

    def write(self, folder: Path) -> None:
        """Write `gallery.json`.

        Args:
            folder (`Path`): with the other files.

        Raises:
            ValueError: a metadata column is of a type that `datasets` does not know.
        """
        table = self.schema.to_table()
        values = {
            "format": _FORMAT,
            "products": self.products,
            "columns": dict(self.columns),
            "metadata": metadata_features(self.schema.metadata).to_dict(),
            "table": {key.decode(): json.loads(value) for key, value in table.metadata.items()},
            "files": {name: self._file(name) for name in self.sha256},
        }
        write_json(values, folder / MANIFEST)

    def _file(self, name: str) -> dict[str, Any]:
        rows = {"rows": self.shards[name]} if name in self.shards else {}
        return {**rows, "sha256": self.sha256[name]}

    @classmethod
    def read(cls, folder: Path) -> GalleryManifest:
        """Read `gallery.json`.

        Args:
            folder (`Path`): of a saved gallery.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: it is damaged.
            ValueError: a newer version of hf_fashion wrote it.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise FileNotFoundError(not_a_gallery(str(folder)))
        try:
            written = json.loads(path.read_bytes())
            version = written["format"]
            if version == _FORMAT:
                return cls._parsed(written, path)
        except (
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
            UnicodeDecodeError,
            json.JSONDecodeError,
        ) as error:
            raise damaged(path, f"{type(error).__name__}: {error}") from error
        raise ValueError(f"{path} must be of format {_FORMAT}, got format {version}; upgrade hf_fashion to read it")

    @classmethod
    def _parsed(cls, written: Mapping[str, Any], path: Path) -> GalleryManifest:
        files = written["files"]
        strange = [name for name in files if not _FILE.fullmatch(name)]
        if strange:
            raise damaged(path, f"it names {strange[0]!r}, which is not a file of a gallery")
        table = {key: json.dumps(value) for key, value in written["table"].items()}
        try:
            metadata = Features.from_dict(written["metadata"]).arrow_schema
            schema = GallerySchema.from_table(pa.schema(list(metadata), metadata=table))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        shards = {name: file["rows"] for name, file in files.items() if name != ATTACHMENTS}
        _require_all_shards(path, shards, written["products"])
        columns = {space: written["columns"][space] for space in schema.spaces}
        if not all(isinstance(column, str) for column in columns.values()):
            raise damaged(path, f"its columns must be names, got {shown(list(columns.values()))}")
        return cls(schema, columns, shards, {name: file["sha256"] for name, file in files.items()})


def _require_all_shards(path: Path, shards: Mapping[str, int], products: int) -> None:
    """Raises where a shard is not named, or the rows of all are not the products of the gallery."""
    places = {tuple(map(int, _SHARD.fullmatch(name).groups())) for name in shards}
    number = max((number for _, number in places), default=1)
    # Among the first parts, one more than there are, one is missing if any is: the number may be any that fits a name.
    for part in range(min(number, len(places) + 1)):
        if (part, number) not in places:
            raise damaged(path, f"it does not name {SHARD.format(part, number)}")
    if sum(shards.values()) != products:
        raise damaged(path, f"it names files of {sum(shards.values())} products in all, but says {products}")


def not_a_gallery(source: str) -> str:
    """Return the message for a folder or repository without `gallery.json`.

    Args:
        source (`str`): its path or id.
    """
    return (
        f"{source} has no {MANIFEST}: it is not a saved gallery. `Gallery.open` opens a gallery's own folder, "
        "`Gallery.from_dataset` embeds a dataset of photos"
    )


def damaged(path: Path, what: str) -> OSError:
    """Return the error for a file that is not as it was saved.

    Args:
        path (`Path`): the file.
        what (`str`): the damage.
    """
    at_fault = path.resolve()  # in the Hub's cache `path` is a link: deleting the link would keep the damaged content
    return OSError(
        f"{path} is damaged: {what}. Delete {at_fault} to download it again, or save or push the gallery again"
    )
