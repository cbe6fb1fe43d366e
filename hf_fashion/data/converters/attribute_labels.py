"""Convert the published splits of FashionAI, DARN and DeepFashion to a corpus for `load_corpus`."""

import shutil
from pathlib import Path
from typing import Any

import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value
from torch import Tensor

from ...files import folder_written_aside
from ..attributes.published_labels import read_filenames, read_pairs
from ..attributes.vocabulary import AttributeVocabulary


# Attribute -> number of values, in the order of the files' numbers.
CORPORA = {
    "fashionai": {
        "skirt_length": 6,
        "sleeve_length": 9,
        "coat_length": 8,
        "pant_length": 6,
        "collar_design": 5,
        "lapel_design": 5,
        "neckline_design": 10,
        "neck_design": 5,
    },
    "darn": {
        "category": 20,
        "button": 13,
        "colour": 55,
        "length": 7,
        "pattern": 28,
        "shape": 11,
        "collar_shape": 26,
        "sleeve_length": 8,
        "sleeve_shape": 17,
    },
    "deepfashion": {"texture": 156, "fabric": 218, "shape": 180, "part": 216, "style": 230},
}
MULTI_LABEL = ("deepfashion",)
SPLITS = {"train": "train", "validation": "valid", "test": "test"}
PROTOCOL_FOLDER = "protocol"


def convert_attribute_labels(
    corpus: str, folder: str | Path, output: str | Path, images: str | Path | None = None
) -> dict[str, int]:
    """
    Convert the published splits to a `DatasetDict`, with the lists of queries and candidates next to it.

    The train split has the labels of `label_train.txt`, the other splits those of their queries and candidates. Rows
    are in the order of `filenames_<split>.txt`, which the lists refer to; `<output>/protocol/` holds the lists as
    `query_<split>.txt` and `candidate_<split>.txt`, for `read_protocol`. The photos are copied into the corpus. The
    shipped column map of the same name reads it.

    Args:
        corpus (`str`): `"fashionai"`, `"darn"` or `"deepfashion"`.
        folder (`str` or `Path`): holds `filenames_train.txt` and `label_train.txt`; for the splits `valid` and `test`,
            if wanted, `filenames_<split>.txt`, `query_<split>.txt` and `candidate_<split>.txt`.
        output (`str` or `Path`): folder to create; it must not exist. It appears when it is complete.
        images (`str` or `Path`, *optional*): folder that the file names are relative to. Default: `folder`.

    Returns:
        `dict[str, int]`: split -> number of rows. Splits are named `train`, `validation` and `test`.

    Raises:
        FileNotFoundError: if a text file is missing.
        ValueError: if `corpus` is unknown or `output` exists; naming file and line if a text file is wrong.
    """
    if corpus not in CORPORA:
        raise ValueError(f"`corpus` must be one of {', '.join(CORPORA)}, got {corpus!r}")
    folder, output = Path(folder), Path(output)
    if output.exists():
        raise ValueError(f"`output` {output} exists already: remove it, or choose another folder")
    splits = {
        split: _read_split(corpus, folder, published, Path(images or folder))
        for split, published in SPLITS.items()
        if published == "train" or (folder / f"filenames_{published}.txt").is_file()
    }
    with folder_written_aside(output) as aside:
        DatasetDict(splits).save_to_disk(aside)
        (aside / PROTOCOL_FOLDER).mkdir()
        for split in set(splits) - {"train"}:
            for kind in ("query", "candidate"):
                source = folder / f"{kind}_{SPLITS[split]}.txt"
                shutil.copyfile(source, aside / PROTOCOL_FOLDER / f"{kind}_{split}.txt")
    return {split: len(rows) for split, rows in splits.items()}


def corpus_vocabulary(corpus: str) -> AttributeVocabulary:
    """Return the vocabulary of a published corpus; its files number the values, so they are named `"0"`, `"1"`, ..."""
    counts = CORPORA[corpus]
    return AttributeVocabulary(list(counts), {name: [str(i) for i in range(count)] for name, count in counts.items()})


def _read_split(corpus: str, folder: Path, published: str, images: Path) -> Dataset:
    vocabulary = corpus_vocabulary(corpus)
    listed = folder / f"filenames_{published}.txt"
    names = read_filenames(listed)
    for number, name in enumerate(names, 1):
        if not (images / name).is_file():
            raise ValueError(f"{listed}, line {number}: no photo at {images / name}")
    files = ["label_train.txt"] if published == "train" else [f"{k}_{published}.txt" for k in ("query", "candidate")]
    pairs = torch.cat(
        [read_pairs(folder / file, len(names), vocabulary.num_values, published != "train") for file in files]
    )
    columns: dict[str, list[Any]] = {"image": [str((images / name).resolve()) for name in names], "file": names}
    features = {"image": Image(), "file": Value("string")}
    for attribute, name in enumerate(vocabulary.attribute_names):
        values = _values(pairs[pairs[:, 1] == attribute], len(names))
        label = ClassLabel(names=vocabulary.attribute_values[name])
        if corpus in MULTI_LABEL:
            features[name], columns[name] = List(label), values
        else:
            _require_single(values, files, folder, name)
            features[name], columns[name] = label, [row[0] if row else None for row in values]
    return Dataset.from_dict(columns, features=Features(features))


def _values(pairs: Tensor, num_rows: int) -> list[list[int]]:
    """Return the distinct values of every row, in the order of the file."""
    values: list[dict[int, None]] = [{} for _ in range(num_rows)]
    for row, _, value in pairs.tolist():
        values[row][value] = None
    return list(map(list, values))


def _require_single(values: list[list[int]], files: list[str], folder: Path, name: str) -> None:
    for row, carried in enumerate(values):
        if len(carried) > 1:
            raise ValueError(
                f"{' and '.join(str(folder / file) for file in files)}: index {row} has the values {carried} of "
                f"{name!r}, and only one is allowed"
            )
