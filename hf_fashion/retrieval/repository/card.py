"""Write the card of a saved gallery, `README.md`: what is in it, and how to use it."""

from __future__ import annotations

from huggingface_hub import DatasetCardData

from ...cards.card import marked_card
from ...cards.markdown import code, escaped, quoted
from ..schema import GallerySchema
from .manifest import ATTACHMENTS, GalleryManifest


_SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B"]  # as the Hub names 1,000 times 1, 10, 100 ...
_TEXT = """
# {name}

The embeddings of a catalogue, a gallery of hf_fashion: `pip install "hf-fashion[gallery]"`.

| | |
| --- | --- |
| products | {products:,} |
| embedded by | {fingerprint} |
| spaces | {spaces} |
| metadata | {metadata} |

It has no photos and no model. Search it with the model that embedded it: vectors of another one cannot be compared.

## How to use

Copy it into a gallery of your own and search it:

```python
from hf_fashion import Gallery

gallery = Gallery.from_pretrained({quoted_name}, uri="my_gallery")
queries = gallery.vectors(gallery.ids()[:2], {space})  # or the embeddings of your photos
for similar in gallery.search(queries, {space}, top_k=5).to_dicts():
    print([(product["id"], product["score"]) for product in similar])
```

`pipeline("fashion-retrieval", model=..., gallery="my_gallery")` searches it by photo and text, with the model that
embedded it.

Read its columns:

```python
from datasets import load_dataset

products = load_dataset({quoted_name}, split="train")
vectors = products.select_columns(["id", {column}]).with_format("torch")
print(vectors[:2])
```

## Limits

What is near in a space is what its model has learned to be near, with the bias of that model and of its photos: read
the model's card. Metadata are those of the catalogue on the day it was embedded: prices, stock and brands change, and
a column of gender or size is the seller's word. Before you push, remove columns that are not for everybody.
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
        name=escaped(name),
        quoted_name=quoted(name),
        products=manifest.products,
        fingerprint=code(schema.fingerprint or "unknown"),
        spaces=", ".join(
            f"{code(each)} ({_kept(schema, each)}, column {code(manifest.columns[each])})" for each in schema.spaces
        ),
        metadata=", ".join(f"{code(field.name)} ({escaped(str(field.type))})" for field in schema.metadata) or "none",
        space=quoted(space),
        column=quoted(column),
    )
    return marked_card(_card_data(manifest.products).to_dict(), text)


def _kept(schema: GallerySchema, space: str) -> str:
    dimension = schema.spaces[space]
    if space not in schema.axes:
        return f"{dimension} dimensions"
    return f"of {dimension} dimensions {schema.axes[space]}, along axes in `{ATTACHMENTS}`"


def _card_data(products: int) -> DatasetCardData:
    place = max(len(str(products)) - 3, 0)
    return DatasetCardData(
        tags=["hf_fashion", "fashion", "embeddings", "image-retrieval"],
        size_categories=[f"{_SIZES[place - 1]}<n<{_SIZES[place]}" if place else "n<1K"],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    )
