"""Map the columns of a corpus to image, caption, tags and attributes; the data keeps its names."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..messages import did_you_mean
from ..yaml_files import read_yaml, replace_words


SHIPPED_FOLDER = Path(__file__).parent / "column_maps"


@dataclass(frozen=True)
class ColumnMap:
    """
    Column map: the column of a corpus for each part (image, caption, tags, ...).

    Args:
        image (`str`, *optional*, defaults to `"image"`):
            Column of the photo: a `datasets.Image`, or a list of them (views of one product).
        caption (`str`, *optional*):
            Column of the description. `None` for a corpus without text.
        tags (`dict[str, str]`, *optional*):
            Tag entity -> column of its value. A null or empty value means that the tag is missing.
        product_id (`str`, *optional*):
            Column of the product's id; splits are drawn by it.
        product_pattern (`str`, *optional*):
            Regular expression that finds the product in an id that names a photo: its match (its first group, if it
            has one) is the product. An id without a match is the product itself.
        attributes (`dict[str, str]`, *optional*):
            Attribute -> column of its label, for attribute-specific models. Null means unlabelled.

    Raises:
        ValueError: if a field has the wrong type, or `product_pattern` is not a regular expression.
    """

    image: str = "image"
    caption: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    product_id: str | None = None
    product_pattern: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("image", "caption", "product_id", "product_pattern"):
            _require_text(name, getattr(self, name), optional=name != "image")
        for name in ("tags", "attributes"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise ValueError(f"column map: `{name}` must map a name to a column, got {value!r}")
            for key, column in value.items():
                _require_text(f"{name}.{key}", column)
            object.__setattr__(self, name, dict(value))
        if self.product_pattern is not None:
            try:
                re.compile(self.product_pattern)
            except re.error as error:
                raise ValueError(f"column map: `product_pattern` {self.product_pattern!r}: {error}") from error

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ColumnMap":
        """Create a column map from a dict.

        Args:
            values (`dict[str, Any]`): fields of the map.

        Raises:
            ValueError: naming an unknown key and the one that was probably meant.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"column map: expected key: value pairs, got {values!r}")
        known = [entry.name for entry in fields(cls)]
        for key in values:
            if key not in known:
                raise ValueError(
                    f"column map: unknown key {key!r}{did_you_mean(str(key), known)}; allowed: {', '.join(known)}"
                )
        return cls(**values)

    @classmethod
    def from_yaml(cls, path: str | Path) -> "ColumnMap":
        """Read a column map from a YAML file.

        Args:
            path (`str` or `Path`): the file.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: naming the file and the key.
        """
        values = replace_words(read_yaml(path) or {}, str)
        try:
            return cls.from_dict(values)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def shipped(cls, name: str) -> "ColumnMap":
        """Read a column map that the package ships.

        Args:
            name (`str`): one of [`shipped_names`].

        Raises:
            ValueError: if no map of this name is shipped.
        """
        known = shipped_names()
        if name not in known:
            raise ValueError(
                f"no column map is shipped as {name!r}{did_you_mean(name, known)}; shipped: {', '.join(known)}"
            )
        return cls.from_yaml(SHIPPED_FOLDER / f"{name.replace('/', '__')}.yaml")

    def to_dict(self) -> dict[str, Any]:
        """Return the map as plain values for `from_dict`."""
        return asdict(self)

    def columns(self) -> dict[str, str]:
        """Return part -> column for every mapped column, e.g. `{"image": "photo", "tags.brand": "brand_name"}`."""
        single = {name: getattr(self, name) for name in ("image", "caption", "product_id")}
        named = {part: column for part, column in single.items() if column is not None}
        named.update({f"tags.{entity}": column for entity, column in self.tags.items()})
        named.update({f"attributes.{name}": column for name, column in self.attributes.items()})
        return named

    def product_of(self, value: str) -> str:
        """Return the product that an id belongs to (see `product_pattern`)."""
        match = re.search(self.product_pattern, value) if self.product_pattern else None
        if match is None:
            return value
        return match.group(1) if match.re.groups else match.group()


def shipped_names() -> list[str]:
    """Return the names of the shipped maps, sorted: Hub ids such as `Marqo/KAGL`, and names such as `product-feed`."""
    return sorted(path.stem.replace("__", "/") for path in SHIPPED_FOLDER.glob("*.yaml"))


def find_for(source_id: str) -> ColumnMap | None:
    """Find the shipped map of a source (a Hub id in any letter case, `"generated"`, ...); `None` if there is none."""
    wanted = str(source_id).lower()
    for name in shipped_names():
        if name.lower() == wanted:
            return ColumnMap.shipped(name)
    return None


def column_map_for(name: str | None, corpus: str) -> ColumnMap:
    """Return the column map that a command line or a recipe names.

    Args:
        name (`str`, *optional*): path of a YAML file (`.yaml`, `.yml`), or the name of a shipped map. `None` takes the
            map shipped for the corpus.
        corpus (`str`): source of the corpus, as for `load_corpus`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if no map of this name is shipped, or none is named and none is shipped for the corpus.
    """
    if name is not None:
        return ColumnMap.from_yaml(name) if name.endswith((".yaml", ".yml")) else ColumnMap.shipped(name)
    found = find_for(corpus)
    if found is None:
        raise ValueError(
            f"no column map is shipped for {corpus!r}: name one with `column_map`, either a YAML file that names "
            f"the columns of image, caption and tags, or one of {', '.join(shipped_names())}"
        )
    return found


def _require_text(name: str, value: Any, optional: bool = False) -> None:
    if value is None and optional:
        return
    if not isinstance(value, str) or not value:
        raise ValueError(f"column map: `{name}` must be the name of a column, got {value!r}")
