"""Tiny samples of published files, converted, loaded and checked as their users do."""

import json
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.convert import convert_corpus
from hf_fashion.data.loading import load_corpus
from tests.data.corpora import jpeg


def save_photos(folder: Path, *names: str) -> None:
    """Save a small photo under each name; each is another one."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))


def save_json(path: Path, values: Any) -> Path:
    """Save JSON, in folders that are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def converted(name: str, source: str | Path, output: Path, **options) -> DatasetDict:
    """The corpus that a format is converted to, checked against its shipped column map."""
    column_map = ColumnMap.shipped(name)
    counts = convert_corpus(name, source, output, **options)
    corpus, report = check_corpus(load_corpus(output), column_map, require_caption=column_map.caption is not None)
    assert report.rows == counts
    return corpus
