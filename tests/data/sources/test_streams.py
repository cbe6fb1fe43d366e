import os

import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Image, IterableDataset, IterableDatasetDict, List, Value

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.sources import row_groups, streams
from hf_fashion.data.sources.streams import require_tables, save_stream
from hf_fashion.data.splits import train_and_validation
from tests.data.converted import save_photos
from tests.data.corpora import jpeg, products
from tests.photo_server import PhotoServer


MAP = ColumnMap(caption="title", product_id="id")


def test_a_streaming_split_is_refused_wherever_a_table_is_needed():
    stream = IterableDatasetDict({"train": products(2).to_iterable_dataset()})
    for refuse in (require_tables, lambda corpus: check_corpus(corpus, MAP), lambda c: train_and_validation(c, MAP)):
        with pytest.raises(
            ValueError, match="split 'train' is a streaming dataset, whose rows come once and in order"
        ):
            refuse(stream)
    require_tables({"train": products(2)})


def test_the_first_rows_of_a_stream_are_a_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "ROWS_AT_ONCE", 2)
    stream = IterableDatasetDict(
        {"train": products(9).to_iterable_dataset(3), "test": products(2, 9).to_iterable_dataset()}
    )
    assert save_stream(stream, tmp_path / "out", 5, progress=False) == {"train": 5, "test": 2}
    corpus, _ = check_corpus(load_corpus(tmp_path / "out"), MAP)
    assert corpus["train"]["title"][:] == products(5)["title"][:]
    assert corpus["train"][4]["image"] == products(5)[4]["image"]
    assert pq.ParquetFile(tmp_path / "out" / "train.parquet").num_row_groups == 1
    monkeypatch.setattr(row_groups, "BYTES_PER_GROUP", 2500)  # more than two of the photos
    save_stream(stream, tmp_path / "large", 9, progress=False)
    file = pq.ParquetFile(tmp_path / "large" / "train.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [4, 4, 1]


def test_photos_that_are_files_come_along(tmp_path):
    save_photos(tmp_path, "1.jpg")
    columns = {"image": [str(tmp_path / "1.jpg")]}
    stream = Dataset.from_dict(columns, features=Features({"image": Image()})).to_iterable_dataset()
    assert save_stream(stream, tmp_path / "out", 5) == {"train": 1}
    (tmp_path / "1.jpg").unlink()
    assert load_corpus(tmp_path / "out")["train"][0]["image"].size == (12, 16)


def test_what_cannot_be_saved_leaves_nothing(tmp_path):
    stream = products(2).to_iterable_dataset()
    with pytest.raises(ValueError, match="`rows` must be at least 1, got 0"):
        save_stream(stream, tmp_path / "out", 0)
    with pytest.raises(ValueError, match="exists already"):
        save_stream(stream, tmp_path, 1)
    with pytest.raises(ValueError, match=r"split 'train' does not state its features: give them with stream\.cast"):
        save_stream(IterableDataset.from_generator(lambda: iter([{"n": 1}])), tmp_path / "out", 1)
    empty = IterableDataset.from_generator(lambda: iter([]), features=Features({"n": Value("int64")}))
    with pytest.raises(ValueError, match="split 'train' of the stream has no rows"):
        save_stream(empty, tmp_path / "out", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_photo_does_not_come_along(tmp_path):
    (tmp_path / "token").write_text("hf_secret")
    save_photos(tmp_path, "1.jpg")
    photo, token = str(tmp_path / "1.jpg"), str(tmp_path / "token")
    for feature, cells in ((Image(), [photo, token]), (List(Image()), [[photo], [photo, token]])):
        stream = Dataset.from_dict({"image": cells}, features=Features({"image": feature})).to_iterable_dataset()
        with pytest.raises(ValueError, match=r"row 1: '.*token' in column 'image' is no photo"):
            save_stream(stream, tmp_path / "out", 5)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("feature", [Image(), List(Image()), {"front": Image()}], ids=["one", "views", "nested"])
def test_other_servers_are_not_asked_for_photos(tmp_path, feature):
    def cell(path):
        return [path] if isinstance(feature, List) else {"front": path} if isinstance(feature, dict) else path

    with PhotoServer() as server:
        url = server.add("/1.jpg", jpeg(0))
        for path in (url, f"zip://1.jpg::{url}", f"{url}::hf://datasets/shop/photos/1.zip", f"file://{tmp_path}"):
            columns, features = {"image": [cell(None), cell(path)]}, Features({"image": feature})
            stream = Dataset.from_dict(columns, features=features).to_iterable_dataset()
            with pytest.raises(ValueError, match=r"row 1: '.*' in column 'image' is a URL of another place"):
                save_stream(stream, tmp_path / "out", 5)
        assert not server.asked
    assert not (tmp_path / "out").exists()


def test_what_is_no_file_is_not_opened(tmp_path):
    (tmp_path / "1.jpg").symlink_to(os.devnull)  # as /dev/zero, which has no end
    columns = {"image": [str(tmp_path / "1.jpg")]}
    stream = Dataset.from_dict(columns, features=Features({"image": Image()})).to_iterable_dataset()
    with pytest.raises(ValueError, match=r"row 0: '.*1\.jpg' in column 'image' is no file"):
        save_stream(stream, tmp_path / "out", 5)
