"""A corpus of one split, some photos of which cannot be read."""

from pathlib import Path

from datasets import Image

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.data.splits import train_and_validation


def save_single_split(folder: Path) -> tuple[Path, set[str]]:
    """Save one split of 40 products, two photos of which cannot be read; return its file and the ids held out."""
    dataset = make_generated_corpus(train_rows=40, validation_rows=1, image_size=32)["train"]
    cells = dataset.cast_column("image", Image(decode=False)).to_dict()
    held_out = train_and_validation({"data": dataset}, ColumnMap.shipped("generated"), validation_fraction=0.5)
    kept_apart = set(held_out["validation"]["product_id"])
    bad = [row for row, product_id in enumerate(cells["product_id"]) if product_id in kept_apart][:2]
    for row in bad:
        cells["image"][row] = {"bytes": b"broken", "path": None}
    path = folder / "single" / "data.parquet"
    path.parent.mkdir()
    dataset.from_dict(cells, features=dataset.features).to_parquet(path)
    return path, kept_apart - {cells["product_id"][row] for row in bad}
