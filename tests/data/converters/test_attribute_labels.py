import pytest

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import read_protocol
from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.attribute_labels import CORPORA, convert_attribute_labels, corpus_vocabulary
from hf_fashion.data.converters.convert import convert_corpus
from hf_fashion.data.loading import load_corpus
from tests.data.corpora import jpeg


TEXTS = {
    "fashionai": {
        "label_train.txt": "1 0 5\n0 3 2\n2 0 1\n",
        "query_valid.txt": "1 0 2\n",
        "candidate_valid.txt": "0 0 2\n2 0 0\n3 0 2\n",
    },
    "deepfashion": {
        "label_train.txt": "0 0 155 0 3 4 229\n1 1 0\n2 0 3\n",
        "query_valid.txt": "1 0 2\n1 0 9\n",
        "candidate_valid.txt": "0 0 2\n2 0 0\n2 0 9\n",
    },
}


@pytest.fixture
def published(tmp_path):
    """Makes a published folder of the corpus with three training photos and four for validation."""

    def make(corpus: str):
        folder = tmp_path / corpus
        for split, names in (("train", "abc"), ("valid", "defg")):
            (folder / split).mkdir(parents=True)
            for name in names:
                (folder / split / f"{name}.jpg").write_bytes(jpeg(ord(name)))
            (folder / f"filenames_{split}.txt").write_text("".join(f"{split}/{name}.jpg\n" for name in names))
        for name, text in TEXTS[corpus].items():
            (folder / name).write_text(text)
        return folder

    return make


def test_fashionai(published, tmp_path):
    folder, output = published("fashionai"), tmp_path / "out"
    assert convert_attribute_labels("fashionai", folder, output) == {"train": 3, "validation": 4}
    corpus, column_map = load_corpus(output), ColumnMap.shipped("fashionai")
    check_corpus(corpus, column_map, require_caption=False)
    assert corpus["train"]["file"][:] == ["train/a.jpg", "train/b.jpg", "train/c.jpg"]
    assert corpus["train"]["image"][2].size == (12, 16)
    labels = read_labels(corpus["train"], column_map)
    assert labels.vocabulary == corpus_vocabulary("fashionai")
    assert labels.value_ids[:, 0].tolist() == [-1, 5, 1] and labels.value_ids[:, 3].tolist() == [2, -1, -1]
    assert read_labels(corpus["validation"], column_map).value_ids[:, 0].tolist() == [2, 2, 0, 2]
    lists = [output / "protocol" / f"{kind}_validation.txt" for kind in ("query", "candidate")]
    protocol = read_protocol(*lists, labels.vocabulary, len(corpus["validation"]))
    assert protocol["skirt_length"].query_rows.tolist() == [1]
    assert protocol["skirt_length"].candidate_rows.tolist() == [0, 2, 3]


def test_deepfashion_has_several_values(published, tmp_path):
    convert_attribute_labels("deepfashion", published("deepfashion"), tmp_path / "out")
    corpus, column_map = load_corpus(tmp_path / "out"), ColumnMap.shipped("deepfashion")
    check_corpus(corpus, column_map, require_caption=False)
    labels = read_labels(corpus["train"], column_map)
    assert labels.is_multi_label and labels.carries.shape == (3, 1000)
    assert labels.of(0).nonzero().tolist() == [[0, 3], [0, 155], [2, 3]]
    assert labels.of(4).nonzero().tolist() == [[0, 229]]
    assert read_labels(corpus["validation"], column_map).of(0).nonzero().tolist() == [
        [0, 2],
        [1, 2],
        [1, 9],
        [2, 0],
        [2, 9],
    ]


def test_the_shipped_maps_name_what_the_papers_do():
    sums = {"fashionai": 54, "darn": 185, "deepfashion": 1000}
    for corpus, counts in CORPORA.items():
        assert list(ColumnMap.shipped(corpus).attributes.items()) == [(name, name) for name in counts]
        assert sum(counts.values()) == sums[corpus]


def test_photos_of_another_folder(published, tmp_path):
    folder = published("fashionai")
    (tmp_path / "photos").mkdir()
    for split in ("train", "valid"):
        (folder / split).rename(tmp_path / "photos" / split)
    with pytest.raises(ValueError, match=r"filenames_train\.txt, line 1: no photo at .*train/a\.jpg"):
        convert_corpus("fashionai", folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    counts = convert_corpus("fashionai", folder, tmp_path / "out", images=tmp_path / "photos")
    assert counts == {"train": 3, "validation": 4}
    assert load_corpus(tmp_path / "out")["validation"]["image"][0].size == (12, 16)


def test_what_is_wrong_is_named_with_file_and_line(published, tmp_path):
    folder = published("fashionai")
    with pytest.raises(ValueError, match="`corpus` must be one of fashionai, darn, deepfashion, got 'fashion'"):
        convert_attribute_labels("fashion", folder, tmp_path / "out")
    with pytest.raises(ValueError, match=r"`output` .* exists already"):
        convert_attribute_labels("fashionai", folder, folder)
    (folder / "label_train.txt").write_text("0 0 5\n0 0 1\n")
    with pytest.raises(ValueError, match=r"label_train\.txt: index 0 has the values \[5, 1\] of 'skirt_length'"):
        convert_attribute_labels("fashionai", folder, tmp_path / "out")
    (folder / "label_train.txt").write_text("0 0 5\n0 0 6\n")
    with pytest.raises(ValueError, match=r"label_train\.txt, line 2: the value of attribute 0 must lie in 0 to 5"):
        convert_attribute_labels("fashionai", folder, tmp_path / "out")
    (folder / "label_train.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"label_train\.txt"):
        convert_attribute_labels("fashionai", folder, tmp_path / "out")
