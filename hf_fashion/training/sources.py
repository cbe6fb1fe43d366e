"""Fingerprints of what a run learns from, a corpus and an embedding model: a run resumes only with the same."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from datasets import Dataset, DatasetDict
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from ..data.column_map import ColumnMap
from ..data.encoded_photos import encoded_images, read_bytes
from ..data.values import column_texts
from ..embedding.fingerprint import embedder_fingerprint, model_fingerprint
from ..embedding.remote_code import load_processor
from ..embedding.whole_model import load_whole


# The float types that a model may be loaded in; each has its own fingerprint.
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def corpus_fingerprint(corpus: Mapping[str, Dataset], column_map: ColumnMap) -> dict[str, str]:
    """Return the number of rows of each split, and a hash of all that a run reads of them: photos by their bytes.

    It does not depend on where the corpus is stored or how it was loaded.

    Args:
        corpus (`Mapping[str, Dataset]`): split -> rows, whose photos can be read.
        column_map (`ColumnMap`): the columns.

    Returns:
        `dict[str, str]`: such as `{"rows of train": "24", "train: caption (column 'title')": "5f0c9a41e2d7b683"}`.
    """
    columns = {"caption": column_map.caption} if column_map.caption else {}
    columns |= {f"tag {name!r}": column for name, column in column_map.tags.items()}
    columns |= {f"attribute {name!r}": column for name, column in column_map.attributes.items()}
    prints = {}
    for name, split in corpus.items():
        prints[f"rows of {name}"] = str(len(split))
        prints[f"{name}: photos (column {column_map.image!r})"] = _digest(_photos(split, column_map.image))
        for part, column in columns.items():
            prints[f"{name}: {part} (column {column!r})"] = _digest(_cells(split, column))
    return prints


def embedding_sources(
    model: PreTrainedModel, processor: ProcessorMixin | BaseImageProcessor, corpus: DatasetDict, column_map: ColumnMap
) -> dict[str, str]:
    """Return the fingerprints of what embeddings are made from: corpus, embedding model and its processor.

    Args:
        model (`PreTrainedModel`): the embedding model.
        processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        corpus (`DatasetDict`): `train` and `validation`.
        column_map (`ColumnMap`): the columns.
    """
    return corpus_fingerprint(corpus, column_map) | {"embedding model": embedder_fingerprint(model, processor)}


def made_once(accelerator: Accelerator, folder: str, name: str, sources: Any, make: Callable[[Path], None]) -> Path:
    """Return the file of what a run makes of its sources. Its main process makes it; the others and a resumed run find
    it, so that all read the same.

    Args:
        accelerator (`Accelerator`): the run's processes.
        folder (`str`): output folder of the run.
        name (`str`): start of the file's name; a hash of the sources follows.
        sources (`Any`): all that the file depends on, for JSON; what was made of others is not found.
        make (`Callable`): writes the file at a path, which must appear when all of it is written.
    """
    digest = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:16]
    path = Path(folder, f"{name}-{digest}.safetensors")
    with accelerator.main_process_first():
        if not path.exists():
            make(path)
    return path


def embedder_fingerprints(embedder: str) -> list[str]:
    """Return the fingerprints of an embedding model, one for each float type that it may be loaded in.

    Args:
        embedder (`str`): folder or Hub id of the model.
    """
    return [model_fingerprint(load_whole(embedder, dtype=dtype)) for dtype in DTYPES]


def embedder_processor(model: PreTrainedModel, embedder: str) -> ProcessorMixin | BaseImageProcessor:
    """Load the processor of an embedding model.

    Args:
        model (`PreTrainedModel`): the model.
        embedder (`str`): its folder or Hub id.
    """
    attribute_specific = hasattr(model.config, "attribute_names")
    if attribute_specific:
        return AutoImageProcessor.from_pretrained(embedder, trust_remote_code=False)
    return load_processor(embedder)


def _photos(split: Dataset, column: str) -> Iterator[list[str]]:
    for views in encoded_images(split, column):
        yield [hashlib.sha256(read_bytes(view)).hexdigest() for view in views]


def _cells(split: Dataset, column: str) -> Iterator[list[str] | str | None]:
    yield getattr(split.features[column], "names", None)  # of a ClassLabel: their order decides the vocabulary's
    yield from column_texts(split, column)


def _digest(cells: Iterator[Any]) -> str:
    digest = hashlib.sha256()
    for cell in cells:
        digest.update(f"{json.dumps(cell)}\n".encode())
    return digest.hexdigest()[:16]
