import pytest
from datasets import Dataset, DatasetDict, Image

from hf_fashion.data.loading import load_corpus
from hf_fashion.data.sources.folder_listing import split_of
from tests.data.corpora import jpeg, products


def titles(dataset):
    return dataset["title"][:]


def test_saved_corpus_and_saved_split(tmp_path):
    DatasetDict(train=products(3), validation=products(2, first=3)).save_to_disk(tmp_path / "both")
    products(4).save_to_disk(tmp_path / "one")
    assert {name: len(split) for name, split in load_corpus(tmp_path / "both").items()} == {
        "train": 3,
        "validation": 2,
    }
    assert titles(load_corpus(tmp_path / "one")["train"]) == titles(products(4))


def test_parquet_file_and_folder(tmp_path):
    products(3).to_parquet(tmp_path / "train-00000-of-00002.parquet")
    products(2, first=3).to_parquet(tmp_path / "train-00001-of-00002.parquet")
    products(2, first=5).to_parquet(tmp_path / "validation.parquet")
    corpus = load_corpus(tmp_path)
    assert titles(corpus["train"]) == titles(products(5))
    assert titles(corpus["validation"]) == titles(products(2, first=5))
    assert corpus["train"].features["image"] == Image()
    assert list(load_corpus(tmp_path / "validation.parquet")) == ["validation"]


@pytest.mark.parametrize("cell", [jpeg(0), {"bytes": jpeg(0), "path": None}, [jpeg(0), jpeg(1)]])
def test_parquet_of_plain_bytes_gets_images(tmp_path, cell):
    Dataset.from_dict({"image": [cell, cell]}).to_parquet(tmp_path / "a.parquet")
    image = load_corpus(tmp_path / "a.parquet")["train"][0]["image"]
    first_view = image[0] if isinstance(cell, list) else image
    assert first_view.size == (12, 16)


def test_images_saved_undecoded_are_decoded(tmp_path):
    products(2).cast_column("image", Image(decode=False)).save_to_disk(tmp_path / "raw")
    assert load_corpus(tmp_path / "raw")["train"][0]["image"].size == (12, 16)


def test_feed_file_and_folder_of_feeds(tmp_path):
    (tmp_path / "0.jpg").write_bytes(jpeg(0))
    for split in ("train", "validation"):
        (tmp_path / f"{split}.csv").write_text("photo,title\n0.jpg,Hat\n")
    corpus = load_corpus(tmp_path, image_column="photo")
    assert set(corpus) == {"train", "validation"}
    assert corpus["train"][0]["photo"].size == (12, 16)
    assert list(load_corpus(tmp_path / "validation.csv", image_column="photo")) == ["validation"]


def test_folder_of_images(tmp_path):
    for name in ("train/dress/1.jpg", "train/skirt/2.jpg", "validation/dress/3.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(0))
    corpus = load_corpus(tmp_path)
    assert {name: len(split) for name, split in corpus.items()} == {"train": 2, "validation": 1}
    assert corpus["train"].features["image"] == Image()
    assert sorted(corpus["train"]["file_name"]) == ["train/dress/1.jpg", "train/skirt/2.jpg"]


def test_generated_takes_its_options_and_no_other_source_does():
    corpus = load_corpus("generated", generated={"train_rows": 2, "validation_rows": 1, "image_size": 32})
    assert {name: len(split) for name, split in corpus.items()} == {"train": 2, "validation": 1}
    with pytest.raises(ValueError, match="options of the source 'generated'; the source is 'Marqo/KAGL'"):
        load_corpus("Marqo/KAGL", generated={"seed": 1})


@pytest.mark.parametrize("source", ["./nowhere", "nowhere.csv", "/no/such/folder"])
def test_a_path_that_does_not_exist_is_not_taken_for_a_hub_id(source):
    with pytest.raises(FileNotFoundError, match="no corpus at"):
        load_corpus(source)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "corpus.txt").write_text("x")
    with pytest.raises(ValueError, match=r"corpus\.txt: a corpus file is \.parquet or a product feed"):
        load_corpus(tmp_path / "corpus.txt")


def test_split_names_come_from_the_beginning_of_a_file_name(tmp_path):
    names = {"train.parquet": "train", "validation-00000-of-00002.parquet": "validation", "fashion.parquet": None}
    assert {name: split_of(tmp_path / name) for name in names} == names


def write_feeds(folder, **feeds):
    (folder / "0.jpg").write_bytes(jpeg(0))
    for name, lines in feeds.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text("\n".join(lines) + "\n")


def test_feeds_of_one_split_follow_each_other(tmp_path):
    write_feeds(
        tmp_path,
        train_1=["image,title,brand", "0.jpg,Hat,", "0.jpg,Cap,"],
        train_2=["title,brand,image", "Coat,Acme,0.jpg"],
        validation=["image,title,brand", "0.jpg,Belt,Acme"],
    )
    corpus = load_corpus(tmp_path)
    assert titles(corpus["train"]) == ["Hat", "Cap", "Coat"]
    assert corpus["train"]["brand"][:] == [None, None, "Acme"]
    assert titles(corpus["validation"]) == ["Belt"]


def test_feeds_of_one_split_with_other_columns_are_named(tmp_path):
    write_feeds(tmp_path, train_1=["image,title", "0.jpg,Hat"], train_2=["image,titel", "0.jpg,Coat"])
    with pytest.raises(ValueError, match=r"train-1\.csv and .*train-2\.csv .* only one of them has: titel, title"):
        load_corpus(tmp_path)


def test_feeds_of_one_split_with_other_types_are_named(tmp_path):
    (tmp_path / "0.jpg").write_bytes(jpeg(0))
    (tmp_path / "train-1.jsonl").write_text('{"image": "0.jpg", "price": 3}\n')
    (tmp_path / "train-2.jsonl").write_text('{"image": "0.jpg", "price": "three"}\n')
    with pytest.raises(ValueError, match=r"train-1\.jsonl and .*train-2\.jsonl hold different types .*price"):
        load_corpus(tmp_path)


def test_a_photo_that_is_called_like_a_split_stays_with_the_others(tmp_path):
    """Left to itself, `imagefolder` takes it for the validation split and drops every other photo."""
    for number, name in enumerate(("coat.jpg", "val-dress.jpg", "tops/test 1.jpg")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jpeg(number))
    corpus = load_corpus(tmp_path)
    assert list(corpus) == ["train"]
    assert sorted(corpus["train"]["file_name"]) == ["coat.jpg", "tops/test 1.jpg", "val-dress.jpg"]


def test_a_folder_of_images_may_have_metadata_and_other_files(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
    (tmp_path / "metadata.csv").write_text("file_name,title\n0.jpg,Hat\n1.jpg,Scarf\n")
    (tmp_path / "notes.txt").write_text("no photo")
    corpus = load_corpus(tmp_path)
    rows = {(row["file_name"], row["title"], row["image"].size) for row in corpus["train"]}
    assert rows == {("0.jpg", "Hat", (12, 16)), ("1.jpg", "Scarf", (12, 16))}


def make_photos(folder, *names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg(number))


@pytest.mark.parametrize("source", ["photos", "shop/photos", "", "dres/1/2", "photos.csv"])
def test_a_missing_folder_is_not_taken_for_a_hub_id(tmp_path, monkeypatch, source):
    make_photos(tmp_path, "shop/photo/1.jpg")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"no corpus at .*relative to .*The id of a dataset on the Hub is owner"
    ):
        load_corpus(source) if source else load_corpus(tmp_path / "dress")


def test_a_similar_folder_is_proposed(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(FileNotFoundError, match=r"did you mean 'photos'\?"):
        load_corpus(tmp_path / "photo")


def test_a_dataset_that_the_hub_does_not_give_is_named_as_a_folder_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"no corpus 'nobody/nothing': there is no such folder or file in .*Hub"
    ):
        load_corpus("nobody/nothing")


@pytest.mark.parametrize("option", [{"config_name": "a"}, {"revision": "main"}])
def test_options_of_the_hub_are_refused_for_local_files(tmp_path, option):
    products(2).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"are options of datasets on the Hub; .*a\.parquet is a local corpus"):
        load_corpus(tmp_path / "a.parquet", **option)


def test_urls_in_local_files_are_not_fetched(tmp_path):
    cells = ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]
    Dataset.from_dict({"image": cells}).to_parquet(tmp_path / "a.parquet")
    Dataset.from_dict({"image": cells}).save_to_disk(tmp_path / "saved")
    for source in ("a.parquet", "saved"):
        with pytest.raises(ValueError, match=r"train\[0\]: 'https://shop\.example/1\.jpg' in column 'image' is a URL"):
            load_corpus(tmp_path / source)


def test_paths_in_parquet_do_not_depend_on_other_splits(tmp_path):
    make_photos(tmp_path, "train/img/0.jpg", "validation/img/0.jpg", "img/0.jpg")
    for split in ("train", "validation"):
        Dataset.from_dict({"image": ["img/0.jpg"]}).to_parquet(tmp_path / split / "0.parquet")
    for source, splits in ((tmp_path, ["train", "validation"]), (tmp_path / "train" / "0.parquet", ["train"])):
        corpus = load_corpus(source).cast_column("image", Image(decode=False))
        paths = {name: rows[0]["image"]["path"] for name, rows in corpus.items()}
        assert paths == {split: str(tmp_path / split / "img" / "0.jpg") for split in splits}


def test_photos_may_lie_above_the_folders_of_splits(tmp_path):
    make_photos(tmp_path, "img/0.jpg", "img/1.jpg")
    for number, split in enumerate(("train", "validation")):
        Dataset.from_dict({"image": [f"img/{number}.jpg"]}).to_parquet(tmp_path / split / "0.parquet")
    corpus = load_corpus(tmp_path).cast_column("image", Image(decode=False))
    paths = [rows[0]["image"]["path"] for rows in corpus.values()]
    assert paths == [str(tmp_path / "img" / f"{number}.jpg") for number in range(2)]


def test_paths_in_parquet_are_relative_to_its_folder(tmp_path):
    make_photos(tmp_path, "shop/photos/0.jpg")
    Dataset.from_dict({"image": ["photos/0.jpg"]}).to_parquet(tmp_path / "shop" / "a.PARQUET")
    for source in (tmp_path / "shop", tmp_path / "shop" / "a.PARQUET"):
        assert load_corpus(source)["train"][0]["image"].size == (12, 16)
