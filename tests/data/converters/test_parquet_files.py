import pyarrow.parquet as pq
import pytest
from datasets import Features, Image, List, Value

from hf_fashion.data.converters import parquet_files
from hf_fashion.data.converters.parquet_files import PartOfFile, features_of, stored_row, write_parquet
from hf_fashion.data.sources import row_groups
from tests.data.corpora import jpeg


def test_columns_are_text_where_nothing_else_is_said():
    rows = [{"image": "1.jpg", "title": "Hat"}, {"image": "2.jpg", "price": 3.0}]
    features = features_of({"train": rows}, {"price": Value("float64"), "other": Value("bool")})
    assert features == Features({"image": Image(), "title": Value("string"), "price": Value("float64")})
    assert features_of({"train": [{"image": ["1.jpg"]}]}, {})["image"] == List(Image())


def test_rows_are_written_in_groups_and_lacking_values_are_null(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "ROWS_PER_GROUP", 2)
    rows = [{"title": "Hat"}, {"title": "Cap", "brand": "Acme"}, {"title": "Coat"}]
    features = Features({"title": Value("string"), "brand": Value("string")})
    assert write_parquet(iter(rows), features, tmp_path / "a" / "train.parquet") == 3
    assert pq.read_table(tmp_path / "a" / "train.parquet")["brand"].to_pylist() == [None, "Acme", None]


def test_large_photos_are_written_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "BYTES_PER_GROUP", 2 * len(jpeg(0)))
    photos = [{"bytes": jpeg(0), "path": None} for _ in range(5)]
    for image, feature in ((photos, Image()), ([[photo, None] for photo in photos], List(Image()))):
        rows = [{"image": cell} for cell in [*image, None]]
        assert write_parquet(rows, Features({"image": feature}), tmp_path / "train.parquet") == 6
        file = pq.ParquetFile(tmp_path / "train.parquet")
        assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [2, 2, 2]


@pytest.mark.parametrize(
    ("value", "kind"), [("free", "float64"), (2**70, "int64"), ("\ud800", "string"), ([1], "string")]
)
def test_a_value_that_a_column_cannot_hold_is_named_and_leaves_no_file(value, kind, tmp_path):
    rows = [{"price": None, "source_row": "a.csv, line 2"}, {"price": value, "source_row": "a.csv, line 3"}]
    features = Features({"price": Value(kind), "source_row": Value("string")})
    with pytest.raises(ValueError, match=r"a\.csv, line 3: 'price' is .*: .*\. Correct it"):
        write_parquet(rows, features, tmp_path / "train.parquet")
    assert list(tmp_path.iterdir()) == []


def test_photos_in_a_file_are_read_when_they_are_stored(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"head" + jpeg(0) + b"tail")
    part = PartOfFile(tmp_path / "a.tar", 4, len(jpeg(0)), "1.jpg")
    assert stored_row({"image": part, "id": "a"}) == {"image": {"bytes": jpeg(0), "path": "1.jpg"}, "id": "a"}
    assert stored_row({"image": ["1.jpg"]}) == {"image": [{"bytes": None, "path": "1.jpg"}]}
    assert stored_row({"image": None}) == {"image": None}
