"""Values that are rare, unseen or spelled in several ways."""

from datasets import DatasetDict

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.values import MIN_PHOTOS, audit_values, spelling_groups
from tests.audit.planted import COLUMN_MAP, TRAIN_ROWS, clean_corpus, planted_corpus


def test_planted_values_are_found():
    brand = audit_values(AuditedCorpus(planted_corpus(), COLUMN_MAP))["brand"]
    train = planted_corpus()["train"]["brand"][:]
    assert "Onlyhere" in brand["rare"] and brand["values"]["Onlyhere"] == {"train": 1, "validation": 0}
    assert brand["rare"] == sorted((b for b in set(train) if train.count(b) < MIN_PHOTOS), key=brand["rare"].index)
    assert [train.count(value) for value in brand["rare"]] == sorted(train.count(value) for value in brand["rare"])
    assert brand["spellings"] == [[train[2], train[2].upper()]]


def test_a_clean_corpus_has_one_spelling_of_each_value():
    found = audit_values(AuditedCorpus(clean_corpus(), COLUMN_MAP))
    assert list(found) == ["article_type", "brand", "colour", "pattern"]
    assert [value["spellings"] for value in found.values()] == [[], [], [], []]
    assert (
        found["pattern"]["labelled"]
        == found["pattern"]["num_rows"]
        == len(clean_corpus()["train"]) + len(clean_corpus()["validation"])
    )


def test_a_value_that_train_does_not_have_is_unseen():
    splits = DatasetDict(train=clean_corpus()["train"].select(range(3)), validation=clean_corpus()["validation"])
    found = audit_values(AuditedCorpus(splits, COLUMN_MAP))["colour"]
    expected = set(splits["validation"]["colour"]) - set(splits["train"]["colour"])
    assert expected and set(found["unseen"]) == expected and not expected & set(found["rare"])
    assert found["rare_share"] == 1.0


def test_without_a_train_split_no_value_is_unseen():
    splits = DatasetDict(validation=planted_corpus()["train"])
    found = audit_values(AuditedCorpus(splits, COLUMN_MAP))["brand"]
    assert found["unseen"] == [] and "Onlyhere" in found["rare"] and found["labelled"] == TRAIN_ROWS


def test_typing_errors_are_rare_neighbours_of_frequent_values():
    counts = {"Burgundy": 40, "Burgandy": 2, "T-Shirt": 9, "t shirts": 30, "Lavender": 5, "Lavendar": 4}
    assert spelling_groups(counts) == [["Burgundy", "Burgandy"], ["t shirts", "T-Shirt"]]
