import io
import json
import logging
import tarfile
from itertools import chain

import pytest
from datasets import Value

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.convert import convert_corpus
from hf_fashion.data.converters.webdataset import number_features, read_webdataset
from hf_fashion.data.loading import load_corpus
from tests.data.converted import converted
from tests.data.corpora import jpeg


def save_shard(path, *files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def sample(key, number, text="a dress", **values):
    files = [(f"{key}.jpg", jpeg(number)), (f"{key}.txt", text.encode())]
    return [*files, (f"{key}.json", json.dumps(values).encode())] if values else files


def test_shards_by_their_numbers(tmp_path):
    save_shard(tmp_path / "shard-08.tar", *sample("0001", 0, brand="Acme", price=3), *sample("0002", 1, price=4.5))
    save_shard(tmp_path / "shard-09.tar", *sample("0001", 2, " a coat\n", size=["S", "M"], image="u", brand=7))
    corpus = converted("webdataset", tmp_path / "shard-{08..09}.tar", tmp_path / "out")["train"]
    assert corpus["sample"][:] == ["shard-08/0001", "shard-08/0002", "shard-09/0001"]
    assert corpus["txt"][:] == ["a dress", "a dress", "a coat"] and corpus["price"][:] == [3.0, 4.5, None]
    assert corpus["brand"][:] == ["Acme", None, "7"] and corpus["size"][2] == '["S", "M"]'
    assert corpus["json.image"][2] == "u" and corpus["source_row"][2] == "shard-09.tar, sample 0001"
    assert corpus["image"][2].size == (12, 16) and corpus.features["price"] == Value("float64")


def test_a_folder_with_splits_and_endings_that_are_not_read(tmp_path, caplog):
    save_shard(tmp_path / "in" / "train" / "00.tar", *sample("a/0001", 0, n=1), ("a/0001.npy", b"x"))
    save_shard(tmp_path / "in" / "val-0.tar", *sample("0002", 1))
    save_shard(tmp_path / "in2" / "train" / "00.tar", *sample("a/0001", 0, n=1), ("a/0001.seg.png", b"x"))
    with caplog.at_level(logging.WARNING):
        assert list(read_webdataset(tmp_path / "in2")) == ["train"]
    assert "not read from" in caplog.text and "1 .seg.png" in caplog.text
    assert list(read_webdataset(tmp_path / "in")) == ["train", "val"]


def test_a_split_inside_the_names_of_shards(tmp_path):
    names = ("data/my-data-test.tar", "shop-00.tar", "shop-train-00.tar", "shop_val_00.tar", "val/shop-00.tar")
    for number, name in enumerate(names):
        save_shard(tmp_path / name, *sample("1", number))
    splits = read_webdataset(tmp_path)
    places = {split: [row["source_row"].split(",")[0] for row in rows] for split, rows in splits.items()}
    assert places == {"test": [names[0]], "train": [*names[1:3]], "val": [*names[3:]]}


def test_a_sample_without_a_photo_is_a_row_to_skip(tmp_path, caplog):
    save_shard(tmp_path / "a.tar", *sample("0", 0), ("1.txt", b"a coat"), ("1.heic", b"x"), *sample("2", 1))
    with pytest.raises(ValueError, match=r"without their photos, or go on .*\s+a\.tar, sample 1: it has no photo"):
        convert_corpus("webdataset", tmp_path / "a.tar", tmp_path / "out")
    assert "1 .heic" in caplog.text
    assert convert_corpus("webdataset", tmp_path / "a.tar", tmp_path / "out", on_bad_image="skip") == {"train": 3}
    column_map = ColumnMap.shipped("webdataset")
    corpus, report = check_corpus(load_corpus(tmp_path / "out"), column_map, on_bad_image="skip")
    assert corpus["train"]["txt"][:] == ["a dress", "a dress"]
    assert report.places == {"train": {1: "a.tar, sample 1 (id 'a/1')"}}


def test_shards_of_one_name_in_two_folders(tmp_path):
    for number, folder in enumerate(("x", "y")):
        save_shard(tmp_path / "in" / folder / "00.tar", *sample("0001", number))
    rows = converted("webdataset", tmp_path / "in", tmp_path / "out")["train"]
    assert rows["sample"][:] == ["x/00/0001", "y/00/0001"]
    assert rows["source_row"][:] == ["x/00.tar, sample 0001", "y/00.tar, sample 0001"]


def test_types_are_settled_over_all_samples(tmp_path, caplog):
    values = ({"size": 38, "price": 1}, {"size": "M", "price": 2.5})
    files = [((f"{n}.jpg", jpeg(n)), (f"{n}.json", json.dumps(value).encode())) for n, value in enumerate(values)]
    save_shard(tmp_path / "a.tar", *chain.from_iterable(files))
    rows = read_webdataset(tmp_path / "a.tar")["train"]
    assert [(row["size"], row["price"]) for row in rows] == [("38", 1.0), ("M", 2.5)]
    assert "column 'size' holds int, str: all become text" in caplog.text

    rows = {"train": [{"image": "1", "a": True, "b": 1, "c": "x"}, {"image": "2", "a": None, "b": 2}]}
    assert number_features(rows) == {"a": Value("bool"), "b": Value("int64")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("1.a.jpg", jpeg(0)), ("1.b.jpg", jpeg(0))], r"1: a sample's name ends at its first .* are a\.jpg, b\.jpg"),
        ([("1.jpg", jpeg(0)), ("1.png", jpeg(0))], r"1: it has 2 photos \(jpg, png\)"),
        ([*sample("1", 0), ("1.json", b"{")], r"1: 1\.json is not JSON"),
        ([*sample("1", 0), ("1.json", b"[]")], r"1: 1\.json is not a JSON object"),
        ([*sample("1", 0), ("1.json", b'{"a": 1, "a": 2}')], r"1: 1\.json: an object has the key 'a' twice: keep one"),
        ([("1.jpg", jpeg(0)), ("1.txt", b"caf\xe9")], r"1: 1\.txt is not UTF-8"),
    ],
)
def test_a_sample_that_is_wrong_is_named(files, message, tmp_path):
    save_shard(tmp_path / "a.tar", *sample("0", 9), *files)
    with pytest.raises(ValueError, match=r"a\.tar: 1 samples cannot be read:\s+" + message):
        read_webdataset(tmp_path / "a.tar")


def test_samples_and_shards_are_not_lost(tmp_path):
    save_shard(tmp_path / "a.tar", *sample("1", 0), *sample("2", 1), *sample("1", 2))
    save_shard(tmp_path / "a2.tar", *sorted([*sample("1", 0), *sample("2", 1)], key=lambda file: file[0][-3:]))
    for name in ("a.tar", "a2.tar"):  # two samples of one name; all photos first, then all texts
        with pytest.raises(ValueError, match=name + r": sample '1' begins twice.*sorted by name"):
            converted("webdataset", tmp_path / name, tmp_path / "out")
    save_shard(tmp_path / "b.tar", ("1.jpg", jpeg(0)), ("1.JPG", jpeg(1)))
    with pytest.raises(ValueError, match=r"b\.tar: 1\.JPG comes twice"):
        read_webdataset(tmp_path / "b.tar")
    save_shard(tmp_path / "s-1.tar", *sample("1", 0))
    with pytest.raises(FileNotFoundError, match=r"2 of 3 shards are not there:\s+s-0\.tar;\s+s-2\.tar"):
        read_webdataset(tmp_path / "s-{0..2}.tar")
    with pytest.raises(FileNotFoundError, match=r"holds no \*\.tar"):
        (tmp_path / "empty").mkdir()
        read_webdataset(tmp_path / "empty")
    with pytest.raises(ValueError, match="those of a webdataset are in its shards"):
        read_webdataset(tmp_path / "a.tar", tmp_path)
