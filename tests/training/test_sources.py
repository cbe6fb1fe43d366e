"""The fingerprint of a corpus follows what a run reads of it, and nothing else."""

import pytest
from accelerate import Accelerator
from datasets import ClassLabel, Dataset, DatasetDict, Image
from PIL import Image as PILImage

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.training.sources import corpus_fingerprint, made_once


MAP = ColumnMap(caption="title", tags={"brand": "brand"}, attributes={"neck": "neck"})


def rows(number: int = 4, **columns) -> Dataset:
    values = {
        "image": [PILImage.new("RGB", (4, 4), (row, 0, 0)) for row in range(number)],
        "title": [f"dress {row}" for row in range(number)],
        "brand": ["a", None, "b", "a"][:number],
        "neck": ["round", "v", None, "v"][:number],
        "price": list(range(number)),
    }
    return Dataset.from_dict(values | columns).cast_column("image", Image())


def changed(before: Dataset, now: Dataset, column_map: ColumnMap = MAP) -> list[str]:
    first, second = corpus_fingerprint({"train": before}, MAP), corpus_fingerprint({"train": now}, column_map)
    return [key for key in first | second if first.get(key) != second.get(key)]


def test_the_same_rows_have_the_same_fingerprint_wherever_they_are_stored(tmp_path):
    folder, paths = tmp_path / "photos", []
    folder.mkdir()
    for number, view in enumerate(rows().cast_column("image", Image(decode=False))["image"]):
        paths.append(str(folder / f"{number}.png"))
        (folder / f"{number}.png").write_bytes(view["bytes"])
    DatasetDict(train=rows()).save_to_disk(tmp_path / "saved")
    rows().to_parquet(tmp_path / "rows.parquet")
    assert changed(rows(), rows(image=paths)) == []
    assert changed(rows(), DatasetDict.load_from_disk(tmp_path / "saved")["train"]) == []
    assert changed(rows(), Dataset.from_parquet(str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path))) == []
    assert changed(rows(), rows(price=[9, 9, 9, 9])) == [], "no run reads it"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"title": ["dress 0", "dress 1", "dress 2", "dress 9"]}, ["train: caption (column 'title')"]),
        ({"title": ["dress 1", "dress 0", "dress 2", "dress 3"]}, ["train: caption (column 'title')"]),
        ({"brand": ["a", "", "b", "c"]}, ["train: tag 'brand' (column 'brand')"]),
        ({"neck": ["round", "v", "v", "v"]}, ["train: attribute 'neck' (column 'neck')"]),
        ({"image": [PILImage.new("RGB", (4, 4))] * 4}, ["train: photos (column 'image')"]),
    ],
)
def test_what_has_changed_is_named(columns, expected):
    assert changed(rows(), rows(**columns)) == expected


def test_fewer_rows_change_everything():
    assert changed(rows(), rows(3))[0] == "rows of train" and len(changed(rows(), rows(3))) == 5


def test_another_order_of_classes_is_a_change():
    one, two = (rows().cast_column("neck", ClassLabel(names=names)) for names in (["round", "v"], ["v", "round"]))
    assert one["neck"] != two["neck"]
    assert changed(one, two) == ["train: attribute 'neck' (column 'neck')"]


def test_another_column_map_is_a_change():
    other = ColumnMap(caption="brand", tags={"brand": "title"}, attributes={"neck": "neck"})
    assert len(changed(rows(), rows(), other)) == 4


def test_a_file_is_made_once_for_the_same_sources(tmp_path):
    calls = []

    def make(path):
        calls.append(path)
        path.write_bytes(b"made")

    accelerator = Accelerator(cpu=True)
    first, again, other = (
        made_once(accelerator, str(tmp_path), "embeddings", sources, make)
        for sources in ({"rows": "4", "model": "a"}, {"model": "a", "rows": "4"}, {"rows": "4", "model": "b"})
    )
    assert first == again != other and calls == [first, other]
    assert first.parent == tmp_path and first.name.startswith("embeddings-") and first.suffix == ".safetensors"
