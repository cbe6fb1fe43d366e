"""A small generated corpus, and the same with planted faults."""

import io
from functools import lru_cache

from datasets import Dataset, DatasetDict
from PIL import Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus


TRAIN_ROWS, VALIDATION_ROWS = 40, 20
COLUMN_MAP = ColumnMap(
    caption="caption",
    tags={"article_type": "article_type", "brand": "brand", "colour": "colour"},
    product_id="product_id",
    attributes={"pattern": "pattern"},
)


@lru_cache
def clean_corpus() -> DatasetDict:
    return make_generated_corpus(TRAIN_ROWS, VALIDATION_ROWS, image_size=64)


@lru_cache
def planted_corpus() -> DatasetDict:
    """The clean corpus with faults.

    validation[0] shows train[3], which is larger than the others, saved again; train[9] has the file of train[5];
    train[7] has the title of train[6] in another spelling, and validation[2] that of validation[1]; validation[4] has
    the title of train[8]; train[0] has a brand of its own; train[1] and validation[5] spell theirs in another way;
    validation[6] has no caption.
    """
    train, validation = (_rows(split) for split in clean_corpus().values())
    train[3]["image"] = {"bytes": saved_again(train[3]["image"]["bytes"], quality=95, share=4), "path": None}
    validation[0]["image"] = {"bytes": saved_again(train[3]["image"]["bytes"]), "path": None}
    train[9]["image"] = train[5]["image"]
    train[7]["caption"] = f"{train[6]['caption'].upper()} !"
    validation[2]["caption"] = validation[1]["caption"]
    validation[4]["caption"] = train[8]["caption"]
    train[0]["brand"] = "Onlyhere"
    train[1]["brand"] = validation[5]["brand"] = train[2]["brand"].upper()
    validation[6]["caption"] = ""
    features = clean_corpus()["train"].features
    splits = {"train": train, "validation": validation}
    return DatasetDict({name: Dataset.from_list(rows, features=features) for name, rows in splits.items()})


def saved_again(encoded: bytes, quality: int = 60, share: float = 0.8) -> bytes:
    """The photo as a JPEG of another quality and size."""
    photo = Image.open(io.BytesIO(encoded)).convert("RGB")
    smaller = photo.resize((int(photo.width * share), int(photo.height * share)))
    buffer = io.BytesIO()
    smaller.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def _rows(split: Dataset) -> list[dict]:
    return split.with_format("arrow")[:].to_pylist()
