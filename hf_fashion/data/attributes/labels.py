"""Read the attribute labels of a corpus: the values that each image carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from datasets import Dataset
from torch import Tensor

from ...messages import did_you_mean, listed
from ..column_map import ColumnMap
from ..sources.source_rows import name_sources
from .vocabulary import AttributeVocabulary, attribute_cells, build_vocabulary, require_columns


NAMES_SHOWN = 10


@dataclass(frozen=True, eq=False)
class AttributeLabels:
    """
    Attribute labels of N images.

    Args:
        vocabulary (`AttributeVocabulary`): A attributes with P values in all.
        carries (`torch.Tensor` of shape `(N, P)`): bool; whether an image carries an (attribute, value) pair of the
            vocabulary. An image without a pair of an attribute is unlabelled for it; it may have several (in a
            multi-label corpus). One byte an entry: 289,000 images with DeepFashion's 1,000 pairs take 289 MB.
    """

    vocabulary: AttributeVocabulary
    carries: Tensor

    def __len__(self) -> int:
        return len(self.carries)

    def of(self, attribute_id: int) -> Tensor:
        """Return whether each image carries each value of one attribute: bool (N, V)."""
        start, end = self.vocabulary.starts[attribute_id : attribute_id + 2]
        return self.carries[:, start:end]

    @cached_property
    def labelled(self) -> Tensor:
        """Whether each image is labelled for each attribute: bool (N, A)."""
        return torch.stack([self.of(number).any(dim=1) for number in range(len(self.vocabulary.num_values))], dim=1)

    @cached_property
    def is_multi_label(self) -> bool:
        """Whether any image carries two values of one attribute."""
        return bool(self.carries.sum() > self.labelled.sum())

    @cached_property
    def value_ids(self) -> Tensor:
        """The value of every image and attribute: int64 (N, A), -1 where it is unlabelled.

        Raises:
            ValueError: naming the first image that carries two values of one attribute.
        """
        columns = []
        for number, name in enumerate(self.vocabulary.attribute_names):
            carried = self.of(number)
            several = (carried.sum(dim=1) > 1).nonzero().flatten()
            if len(several):
                raise ValueError(
                    f"row {int(several[0])} and {len(several) - 1:,} more carry several values of {name!r}: a "
                    "multi-label corpus has no single value an image; use `carries`"
                )
            columns.append(torch.where(carried.any(dim=1), carried.byte().argmax(dim=1), -1))
        return torch.stack(columns, dim=1)

    def rare_values(self, min_images: int = 2) -> dict[str, dict[str, int]]:
        """Count the images of every rare value.

        Args:
            min_images (`int`, *optional*, defaults to 2): a value with fewer images is rare.

        Returns:
            `dict[str, dict[str, int]]`: attribute -> value -> number of images.
        """
        rare: dict[str, dict[str, int]] = {}
        for pair, count in enumerate(self.carries.sum(dim=0).tolist()):
            if count < min_images:
                name, value = self.vocabulary.value_of_pair(pair)
                rare.setdefault(name, {})[value] = count
        return rare


def read_labels(
    dataset: Dataset, column_map: ColumnMap, vocabulary: AttributeVocabulary | None = None
) -> AttributeLabels:
    """
    Read the attribute labels of a split.

    Args:
        dataset (`Dataset`): N rows; a null, an empty cell or an empty list means unlabelled.
        column_map (`ColumnMap`): names the column of every attribute.
        vocabulary (`AttributeVocabulary`, *optional*): its attributes are read, e.g. those of a model; the map may
            name others too. `None`: `build_vocabulary` of the split.

    Raises:
        ValueError: naming an attribute without a column, a missing column, or all rows with a value that is not in the
            vocabulary.
    """
    if vocabulary is None:
        vocabulary = build_vocabulary(dataset, column_map)
    columns = _attribute_columns(vocabulary, column_map)
    require_columns(dataset, columns)
    carries = torch.zeros(len(dataset), vocabulary.starts[-1], dtype=torch.bool)
    for start, name in zip(vocabulary.starts[:-1], columns, strict=True):
        rows, values = _read_column(dataset, column_map, name, vocabulary.attribute_values[name])
        carries[rows, start + values] = True
    return AttributeLabels(vocabulary, carries)


def _attribute_columns(vocabulary: AttributeVocabulary, column_map: ColumnMap) -> dict[str, str]:
    missing = [name for name in vocabulary.attribute_names if name not in column_map.attributes]
    if missing:
        raise ValueError(
            f"the column map names no column for attribute {missing[0]!r}"
            f"{did_you_mean(missing[0], column_map.attributes)}; its attributes: "
            f"{', '.join(column_map.attributes) or 'none'}"
        )
    return {name: column_map.attributes[name] for name in vocabulary.attribute_names}


def _read_column(dataset: Dataset, column_map: ColumnMap, name: str, allowed: list[str]) -> tuple[Tensor, Tensor]:
    """Read the labels of one attribute: rows and value ids of all labels, int64."""
    value_ids = {value: number for number, value in enumerate(allowed)}
    cells = enumerate(attribute_cells(dataset, column_map.attributes[name]))
    labels = [(row, value) for row, cell in cells for value in cell]
    unknown = [(row, value) for row, value in labels if value not in value_ids]
    if unknown:
        rows = [row for row, _ in unknown]
        places = name_sources(dataset, rows, column_map.product_id, column_map.image)
        head = f"column {column_map.attributes[name]!r} (attribute {name!r}) holds no value of the vocabulary in"
        found = [f"{value!r}{did_you_mean(value, allowed)}" for _, value in unknown]
        lines = [f"{place}: {value}" for place, value in zip(places, found, strict=True)]
        raise ValueError(f"{listed(head, lines)}. Allowed: {', '.join(allowed)}")
    numbers = [(row, value_ids[value]) for row, value in labels]
    rows, values = torch.tensor(numbers, dtype=torch.long).view(-1, 2).unbind(1)
    return rows, values


def describe_values(values: Mapping[str, Mapping[str, int]]) -> str:
    """Describe values and their numbers of images, as `"neck: cowl (1), boat (0) and 3 more; colour: teal (1)"`.

    Args:
        values (`dict[str, dict[str, int]]`): attribute -> value -> number of images, as `rare_values` returns them.
    """
    parts = []
    for name, counts in values.items():
        shown = [f"{value} ({count})" for value, count in list(counts.items())[:NAMES_SHOWN]]
        more = f" and {len(counts) - NAMES_SHOWN:,} more" if len(counts) > NAMES_SHOWN else ""
        parts.append(f"{name}: {', '.join(shown)}{more}")
    return "; ".join(parts)
