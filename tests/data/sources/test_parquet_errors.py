"""Parquet files that cannot be read are named."""

import errno

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.sources.parquet_errors import named_parquet_errors
from tests.data.corpora import jpeg


@pytest.fixture
def folder(tmp_path):
    for name in ("train-0.parquet", "train-1.parquet"):
        photos = [{"bytes": jpeg(row), "path": None} for row in range(40)]
        pq.write_table(pa.table({"id": list(map(str, range(40))), "image": photos}), tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"no parquet",
        lambda data: data[:2_000] + b"\xff" * 1_000 + data[3_000:],
    ],
)
def test_the_damaged_file_of_several_is_named(folder, damage):
    assert len(load_corpus(folder)["train"]) == 80
    path = folder / "train-1.parquet"
    path.write_bytes(damage(path.read_bytes()))
    for source in (folder, path):
        with pytest.raises(ValueError, match=r"train-1\.parquet is damaged: .+\. Write or copy it again$"):
            load_corpus(source)


def test_files_of_other_columns_are_named(folder):
    pq.write_table(pa.table({"id": ["1"], "price": [1.5]}), folder / "train-1.parquet")
    with pytest.raises(ValueError, match=r"cannot be read together \(.*train-0\.parquet, .*train-1\.parquet\): "):
        load_corpus(folder)


def test_a_full_disk_stays_one(tmp_path):
    with pytest.raises(OSError, match="No space left") as error, named_parquet_errors([tmp_path / "a.parquet"]):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as full:
            raise RuntimeError("generating failed") from full
    assert error.value.errno == errno.ENOSPC
