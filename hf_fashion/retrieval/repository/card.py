"""Writes the card of a saved gallery, `README.md`: what is in it, and how to use it."""

from __future__ import annotations

import json
import re

from huggingface_hub import DatasetCard, DatasetCardData

from ..schema import GallerySchema
from .manifest import ATTACHMENTS, GalleryManifest


CARD = "README.md"
_BEGIN, _END = "<!-- The gallery. push_to_hub renews this part. -->", "<!-- The end of the gallery. -->"
_SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B"]  # as the Hub names 1,000 times 1, 10, 100 ...
_TEXT = """
# {name}

{begin}
The embeddings of a catalogue, a gallery of hf_fashion: `pip install "hf-fashion[gallery]"`.

| | |
| --- | --- |
| products | {products:,} |
| embedded by | {fingerprint} |
| spaces | {spaces} |
| metadata | {metadata} |

Copy it into a gallery of your own and search it:

```python
from hf_fashion import Gallery

gallery = Gallery.from_pretrained({quoted_name}, uri="my_gallery")
queries = gallery.vectors(gallery.ids()[:2], {space})  # or the embeddings of your photos
for similar in gallery.search(queries, {space}, top_k=5).to_dicts():
    print([(product["id"], product["score"]) for product in similar])
```

`pipeline("fashion-retrieval", model=..., gallery="my_gallery")` searches it by photo and text, with the model that
embedded it. Read its columns:

```python
from datasets import load_dataset

products = load_dataset({quoted_name}, split="train")
vectors = products.select_columns(["id", {column}]).with_format("torch")
print(vectors[:2])
```
{end}
"""


def gallery_card(manifest: GalleryManifest, name: str) -> str:
    """Return the card of a saved gallery.

    Args:
        manifest (`GalleryManifest`): what is in the gallery.
        name (`str`): a path or an id to load the gallery by.
    """
    schema = manifest.schema
    space, column = next(iter(manifest.columns.items()))
    text = _TEXT.format(
        name=_escaped(name),
        quoted_name=_quoted(name),
        begin=_BEGIN,
        end=_END,
        products=manifest.products,
        fingerprint=_code(schema.fingerprint or "unknown"),
        spaces=", ".join(
            f"{_code(each)} ({_kept(schema, each)}, column {_code(manifest.columns[each])})" for each in schema.spaces
        ),
        metadata=", ".join(f"{_code(field.name)} ({_escaped(str(field.type))})" for field in schema.metadata)
        or "none",
        space=_quoted(space),
        column=_quoted(column),
    )
    return _joined(_card_data(manifest.products), text)


def _kept(schema: GallerySchema, space: str) -> str:
    dimension = schema.spaces[space]
    if space not in schema.axes:
        return f"{dimension} dimensions"
    return f"of {dimension} dimensions {schema.axes[space]}, along axes in `{ATTACHMENTS}`"


def renewed_card(old: str, new: str) -> str:
    """Return the new card with the additions of people to the old one: YAML fields, text around the gallery's part.

    Args:
        old (`str`): the card on the Hub.
        new (`str`): from [`gallery_card`].
    """
    old_card, new_card = DatasetCard(old), DatasetCard(new)
    fields = old_card.data.to_dict() | new_card.data.to_dict()
    fields["tags"] = list(dict.fromkeys([*(old_card.data.get("tags") or []), *new_card.data.tags]))
    before, begin, rest = old_card.text.partition(_BEGIN)
    after = rest.partition(_END)[2] if _END in rest else rest  # people may have deleted the mark
    part = _BEGIN + new_card.text.partition(_BEGIN)[2].partition(_END)[0] + _END
    text = f"{before}{part}{after}" if begin else f"{before.rstrip()}\n\n{part}\n"
    return _joined(DatasetCardData(**fields), text)


def _card_data(products: int) -> DatasetCardData:
    place = max(len(str(products)) - 3, 0)
    return DatasetCardData(
        tags=["hf_fashion", "fashion", "embeddings", "image-retrieval"],
        size_categories=[f"{_SIZES[place - 1]}<n<{_SIZES[place]}" if place else "n<1K"],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    )


def _code(text: str) -> str:
    """Text in Markdown's code style; what Markdown or HTML would read in it is shown as it is."""
    escaped = _escaped(text)
    return f"`{text}`" if escaped == text else f"<code>{escaped}</code>"


def _escaped(text: str) -> str:
    """Text of one line, without characters that Markdown or HTML would read."""
    line = re.sub(r"\s+", " ", text)
    line = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
    return re.sub(r"[^\w .,:/()@+=-]", lambda character: f"&#{ord(character[0])};", line)


def _quoted(text: str) -> str:
    """A string of Python in double quotes, in one line, and without the `<` of the marks."""
    return json.dumps(text, ensure_ascii=not text.isprintable()).replace("<", "\\u003c")


def _joined(data: DatasetCardData, text: str) -> str:
    return f"---\n{data.to_yaml()}\n---\n{text}"
