import pytest
import torch
from datasets import Dataset, Features, List, Value

from hf_fashion.data.attributes.labels import describe_values, read_labels
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from tests.data.attribute_corpora import ROWS, VALUES, multi_label, single_label, vocabulary


MAP = ColumnMap(attributes={"neck": "collar", "sleeve": "arm"})


@pytest.fixture
def corpus():
    necks, sleeves = zip(*ROWS, strict=True)
    features = Features({"collar": Value("string"), "arm": Value("string")})
    return Dataset.from_dict({"collar": necks, "arm": sleeves}, features=features)


def test_single_labels_are_ids_with_minus_one_for_none(corpus):
    labels = read_labels(corpus, MAP, vocabulary())
    expected = [[VALUES[n].index(v) if v else -1 for n, v in zip(VALUES, row, strict=True)] for row in ROWS]
    assert labels.value_ids.tolist() == expected
    assert labels.value_ids.dtype == torch.long and not labels.is_multi_label
    assert labels.labelled.tolist() == [[value is not None for value in row] for row in ROWS]
    assert len(labels) == 9 and torch.equal(labels.carries, single_label().carries)


def test_without_a_vocabulary_the_split_gives_its_own(corpus):
    labels = read_labels(corpus, MAP)
    assert labels.vocabulary.attribute_values == {"neck": ["cowl", "round", "v"], "sleeve": ["long", "short"]}
    assert labels.value_ids[:3, 0].tolist() == [2, 2, 1]


def test_several_values_are_a_mask_over_the_pairs():
    cells = [["dots", "lines"], None, ["lines"]]
    corpus = Dataset.from_dict({"print": cells}, features=Features({"print": List(Value("string"))}))
    labels = read_labels(corpus, ColumnMap(attributes={"print": "print"}))
    assert labels.carries.tolist() == [[True, True], [False, False], [False, True]]
    assert labels.is_multi_label and labels.labelled.flatten().tolist() == [True, False, True]
    with pytest.raises(ValueError, match="row 0 and 0 more carry several values of 'print'"):
        _ = labels.value_ids


def test_of_is_the_part_of_one_attribute():
    labels = multi_label()
    assert torch.equal(torch.cat([labels.of(0), labels.of(1)], dim=1), labels.carries)
    assert labels.of(1).tolist() == [[kind == "x", kind == "y"] for kind in "xxyyxy"]


def test_rare_values_are_counted_and_described():
    rare = single_label().rare_values(min_images=3)
    assert rare == {"neck": {"round": 2, "cowl": 1, "boat": 0}, "sleeve": {"long": 2}}
    assert describe_values(rare) == "neck: round (2), cowl (1), boat (0); sleeve: long (2)"
    many = {"colour": {f"c{number}": 1 for number in range(13)}}
    assert describe_values(many).endswith("c9 (1) and 3 more")


def test_what_is_wrong_is_named(corpus):
    with pytest.raises(
        ValueError, match=r"column 'collar' \(attribute 'neck'\) holds no value .* in:\n    row 3: 'vee'.*Allowed: v"
    ):
        read_labels(
            corpus.map(lambda row, i: {"collar": "vee"} if i == 3 else row, with_indices=True), MAP, vocabulary()
        )
    with pytest.raises(ValueError, match=r"no column for attribute 'sleeve' \(did you mean 'sleeves'\?\)"):
        read_labels(corpus, ColumnMap(attributes={"neck": "collar", "sleeves": "arm"}), vocabulary())
    with pytest.raises(ValueError, match="no column 'arms'"):
        read_labels(corpus, ColumnMap(attributes={"neck": "collar", "sleeve": "arms"}), vocabulary())


def test_the_generated_corpus_is_read_by_its_shipped_map():
    train = make_generated_corpus(train_rows=20, validation_rows=1, image_size=32)["train"]
    labels = read_labels(train, ColumnMap.shipped("generated"))
    assert labels.vocabulary.attribute_values["hem"] == train.features["hem"].names
    assert labels.value_ids[:, 0].tolist() == train["pattern"][:]
    assert labels.value_ids[:, 1].tolist() == [-1 if value is None else value for value in train["sleeve"][:]]
