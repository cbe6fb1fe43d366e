"""Folders: all photos, or an error or a warning that names what was left out."""

import pytest
from datasets import DatasetDict, Image, Value

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.sources.folders import load_folder
from tests.data.corpora import jpeg, products


def make(folder, *names: str, **texts: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg(number))
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)


def files(corpus: DatasetDict) -> dict[str, list[str]]:
    return {name: split["file_name"][:] for name, split in corpus.items()}


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["coat/1.jpg", "dress/1.jpg", "test/1.jpg"], {"train": ["coat/1.jpg", "dress/1.jpg", "test/1.jpg"]}),
        (["1.jpg", "train/2.jpg"], {"train": ["1.jpg", "train/2.jpg"]}),
        (
            ["gallery/1.jpg", "query/1.jpg", "train/a/1.jpg"],
            {"gallery": ["gallery/1.jpg"], "query": ["query/1.jpg"], "train": ["train/a/1.jpg"]},
        ),
        (["data/test/1.jpg", "data/train/1.jpg"], {"test": ["data/test/1.jpg"], "train": ["data/train/1.jpg"]}),
        (["shop/val/1.jpg", "shop/train/1.jpg"], {"train": ["shop/train/1.jpg"], "val": ["shop/val/1.jpg"]}),
        (["data/1.jpg"], {"train": ["data/1.jpg"]}),
        (["test/1.jpg"], {"test": ["test/1.jpg"]}),
        (["a.JPG", "b.PNG", "c.jpeg"], {"train": ["a.JPG", "b.PNG", "c.jpeg"]}),
        (["10.jpg", "2.jpg", "1/3.jpg"], {"train": ["1/3.jpg", "10.jpg", "2.jpg"]}),
        (["ü/ö ä.jpg", "裙子/1.jpg"], {"train": ["ü/ö ä.jpg", "裙子/1.jpg"]}),
    ],
)
def test_all_photos_load_in_one_order(tmp_path, names, splits):
    make(tmp_path, *names)
    corpus = load_corpus(tmp_path)
    assert files(corpus) == splits
    assert all(row["image"].size == (12, 16) for split in corpus.values() for row in split)


@pytest.mark.parametrize("name", ["shop [12]", "shop *", "shop?", "a{b,c}", "**", "[!a]"])
def test_signs_of_patterns_in_names_are_letters(tmp_path, name):
    make(tmp_path / name, "photos/1 [2].jpg")
    make(tmp_path / "shop 1", "other.jpg")
    assert files(load_corpus(tmp_path / name)) == {"train": ["photos/1 [2].jpg"]}
    products(3).to_parquet(tmp_path / name / "train.parquet")
    products(1).to_parquet(tmp_path / "shop 1" / "train.parquet")
    assert (
        len(load_corpus(tmp_path / name)["train"]) == len(load_corpus(tmp_path / name / "train.parquet")["train"]) == 3
    )


def test_photos_next_to_several_splits_are_refused(tmp_path):
    make(tmp_path, "train/1.jpg", "validation/1.jpg", "new/1.jpg", "2.jpg")
    with pytest.raises(
        ValueError, match=r"splits \(train, validation\) and other files next to them, in the folder itse.*new/"
    ):
        load_corpus(tmp_path)


def test_a_folder_called_like_a_split_among_others_is_said(tmp_path, caplog):
    make(tmp_path, "coat/1.jpg", "test/1.jpg")
    load_corpus(tmp_path)
    assert "what is in test/ is read together with the others, as one split" in caplog.text


def test_files_that_are_not_read_are_named_and_counted(tmp_path, caplog):
    make(tmp_path, "1.jpg", ".hidden/2.jpg", "film.mov", notes_txt="x")
    assert len(load_corpus(tmp_path)["train"]) == 1
    assert "not read: 1 .mov (film.mov), 1 .txt (notes.txt), 1 hidden (.hidden/2.jpg)" in caplog.text


@pytest.mark.parametrize(
    ("names", "held"),
    [([], "it is empty"), (["a.mov"], r"it holds only 1 \.mov \(a\.mov\)"), ([".a/1.jpg"], "1 hidden")],
)
def test_a_folder_without_photos_is_no_corpus(tmp_path, names, held):
    make(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"is no corpus \(photos, a product feed, parquet files, .*{held}"):
        load_corpus(tmp_path)


def test_folders_of_equally_deep_photos_are_labels(tmp_path):
    make(tmp_path / "deep", "train/coat/1.jpg", "train/dress/1.jpg", "validation/coat/2.jpg")
    corpus = load_corpus(tmp_path / "deep")
    names = {name: split.features["label"].int2str(split["label"][:]) for name, split in corpus.items()}
    assert names == {"train": ["coat", "dress"], "validation": ["coat"]}
    make(tmp_path / "flat", "train/1.jpg", "validation/2.jpg")
    make(tmp_path / "mixed", "coat/1.jpg", "dress/a/2.jpg")
    for folder in ("flat", "mixed"):
        assert "label" not in load_corpus(tmp_path / folder)["train"].column_names


def test_metadata_stay_as_they_are_written(tmp_path):
    make(tmp_path, "a/1.jpg", "2.jpg", metadata_csv="file_name,sku,brand\na/1.jpg,00123,NA\n2.jpg,00124,\n")
    train = load_corpus(tmp_path)["train"]
    assert train.features["image"] == Image() and train.features["file_name"] == Value("string")
    assert train["file_name"][:] == ["a/1.jpg", "2.jpg"]
    assert (train["sku"][:], train["brand"][:]) == (["00123", "00124"], ["NA", None])


def test_metadata_of_splits(tmp_path):
    names = ["train/1.jpg", "train/2.jpg", "validation/1.jpg"]
    make(tmp_path / "one", *names, metadata_csv="file_name,id\n" + "".join(f"{name},{name}\n" for name in names))
    make(tmp_path / "each", *names)
    make(tmp_path / "each" / "train", metadata_csv="file_name,id\n2.jpg,train/2.jpg\n1.jpg,train/1.jpg\n")
    make(tmp_path / "each" / "validation", metadata_jsonl='{"file_name": "1.jpg", "id": "validation/1.jpg"}')
    for folder in ("one", "each"):
        corpus = load_corpus(tmp_path / folder)
        assert {name: sorted(split["id"]) for name, split in corpus.items()} == {
            "train": names[:2],
            "validation": names[2:],
        }
        assert all(row["id"] == row["file_name"] for split in corpus.values() for row in split)


def test_the_only_feed_in_a_folder_of_photos_is_used(tmp_path, caplog):
    make(tmp_path, "photos/1.jpg", "photos/2.jpg", catalogue_csv="id,image\n007,photos/1.jpg\n")
    train = load_corpus(tmp_path)["train"]
    assert train["id"][:] == ["007"] and train[0]["image"].size == (12, 16)
    assert "photos that no row of catalogue.csv names: 1 .jpg (photos/2.jpg)" in caplog.text


def test_a_feed_that_cannot_be_used_is_named(tmp_path):
    make(tmp_path, "1.jpg", prices_csv="id,price\n1,10\n")
    with pytest.raises(
        ValueError, match=r"prices\.csv: no column 'image'.*read by prices\.csv; if that is no feed, move it"
    ):
        load_corpus(tmp_path)


def test_several_feeds_are_named(tmp_path, caplog):
    make(tmp_path, "1.jpg", a_csv="image\n1.jpg\n", b_jsonl='{"image": "1.jpg"}')
    with pytest.raises(ValueError, match=r"several feeds \(a\.csv, b\.jsonl\): name one of them as the corpus"):
        load_corpus(tmp_path)
    make(tmp_path, train_csv="image\n1.jpg\n")
    assert len(load_corpus(tmp_path)["train"]) == 1
    assert "not read: 1 .csv (a.csv), 1 .jsonl (b.jsonl)" in caplog.text


def test_parquet_files_by_folders_and_names(tmp_path, caplog):
    for name in ("default/train/0.parquet", "default/test/0.parquet"):
        (tmp_path / name).parent.mkdir(parents=True)
        products(2).to_parquet(tmp_path / name)
    make(tmp_path, "1.jpg", feed_csv="image\n1.jpg\n")
    assert {name: len(split) for name, split in load_folder(tmp_path, "image").items()} == {"test": 2, "train": 2}
    assert "not read: 1 .csv (feed.csv)" in caplog.text and "photos that no row of" in caplog.text
    products(1).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(ValueError, match=r"and others \(default/test/0\.parquet, default/train/0\.parquet\)"):
        load_folder(tmp_path, "image")
