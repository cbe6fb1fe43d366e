"""Build the attribute vocabulary of a corpus: attributes and their values in a fixed order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from datasets import ClassLabel, Dataset, List

from ...messages import did_you_mean, missing_column
from ..column_map import ColumnMap
from ..values import column_texts, text_of


@dataclass(frozen=True)
class AttributeVocabulary:
    """
    Attributes and their values, in the order of attribute ids and value ids.

    Args:
        attribute_names (`list[str]`): A attributes.
        attribute_values (`dict[str, list[str]]`): attribute -> its values, at least two.

    Raises:
        ValueError: if names and values do not match, a name or value is there twice, or an attribute has fewer than
            two values.
    """

    attribute_names: list[str]
    attribute_values: dict[str, list[str]]

    def __post_init__(self):
        if not self.attribute_names or sorted(self.attribute_names) != sorted(self.attribute_values):
            raise ValueError(
                "`attribute_names` must name the attributes of `attribute_values`, each once and at least one; got "
                f"{self.attribute_names} and {list(self.attribute_values)}"
            )
        for name in self.attribute_names:
            values = self.attribute_values[name]
            if len(set(values)) != len(values) or len(values) < 2:
                raise ValueError(
                    f"attribute {name!r} needs at least two values, all different: got {values}. With fewer there is "
                    "nothing to tell apart: add products with other values to this split, or remove the attribute "
                    "from the column map"
                )

    @property
    def num_values(self) -> list[int]:
        """Number of values of each attribute, in the order of `attribute_names`."""
        return [len(self.attribute_values[name]) for name in self.attribute_names]

    @property
    def starts(self) -> list[int]:
        """A + 1 numbers: the (attribute, value) pairs of attribute a are `starts[a]` up to `starts[a + 1]`."""
        starts = [0]
        for count in self.num_values:
            starts.append(starts[-1] + count)
        return starts

    def value_of_pair(self, pair: int) -> tuple[str, str]:
        """Return the (attribute, value) of a pair's number."""
        attribute_id = next(place for place, end in enumerate(self.starts[1:]) if pair < end)
        name = self.attribute_names[attribute_id]
        return name, self.attribute_values[name][pair - self.starts[attribute_id]]


def build_vocabulary(dataset: Dataset, column_map: ColumnMap) -> AttributeVocabulary:
    """
    Build the vocabulary of the attributes of a column map, in its order, from the values of a split.

    Args:
        dataset (`Dataset`): the split whose values are taken: for a model, its training split.
        column_map (`ColumnMap`): its `attributes` name the columns: text, numbers or `ClassLabel`, or lists of them.

    Returns:
        `AttributeVocabulary`: class labels have all their classes as values, in order; other columns have the values
        that occur, sorted.

    Raises:
        ValueError: naming the missing column or the attribute with fewer than two values; if the map names no
            attribute.
    """
    require_columns(dataset, column_map.attributes)
    values = {}
    for name, column in column_map.attributes.items():
        feature = _element(dataset.features[column])
        if isinstance(feature, ClassLabel):
            values[name] = list(feature.names)
        else:
            values[name] = sorted({value for row in attribute_cells(dataset, column) for value in row})
    return AttributeVocabulary(list(values), values)


def attribute_cells(dataset: Dataset, column: str) -> list[list[str]]:
    """Return the values of every row as text: none if it is unlabelled, several if the column holds lists."""
    feature = dataset.features[column]
    if not isinstance(feature, List):
        return [[] if text is None else [text] for text in column_texts(dataset, column)]
    cells = dataset.with_format("arrow").select_columns(column)[:][column].to_pylist()
    texts = ([text_of(value, feature.feature) for value in cell or ()] for cell in cells)
    return [list(dict.fromkeys(text for text in row if text is not None)) for row in texts]


def require_columns(dataset: Dataset, columns: Mapping[str, str]) -> None:
    """Raise `ValueError` unless there are columns and the dataset has them.

    Args:
        dataset (`Dataset`): a split.
        columns (`dict[str, str]`): attribute -> column.

    Raises:
        ValueError: naming the missing column and its attribute.
    """
    if not columns:
        raise ValueError("the column map names no `attributes`: add a column for each attribute")
    for name, column in columns.items():
        if column not in dataset.features:
            raise ValueError(missing_column(column, f"attribute {name!r}", dataset.column_names))


def _element(feature):
    return feature.feature if isinstance(feature, List) else feature


def with_attributes(column_map: ColumnMap, attributes: list[str] | None) -> ColumnMap:
    """Return the column map with only these attributes, in this order.

    Args:
        column_map (`ColumnMap`): the map.
        attributes (`list[str]`, *optional*): names of attributes; `None` keeps all.

    Raises:
        ValueError: if the map has no column for one of them.
    """
    if attributes is None:
        return column_map
    for name in attributes:
        if name not in column_map.attributes:
            raise ValueError(
                f"`data.attributes` names {name!r}{did_you_mean(name, column_map.attributes)}; the column map has "
                f"{list(column_map.attributes)}."
            )
    return replace(column_map, attributes={name: column_map.attributes[name] for name in attributes})
