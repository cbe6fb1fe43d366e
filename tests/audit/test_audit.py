"""The whole audit of saved corpora."""

import json

import pytest
from datasets import DatasetDict, concatenate_datasets

from hf_fashion.audit.audit import audit, load_audited
from hf_fashion.data.checks import CorpusError
from hf_fashion.data.column_map import ColumnMap
from tests.audit.planted import COLUMN_MAP, TRAIN_ROWS, VALIDATION_ROWS, clean_corpus, planted_corpus
from tests.data.corpora import products
from tests.evaluation.saved_models import save_e2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    planted_corpus().save_to_disk(folder / "planted")
    save_e2(folder / "e2")
    return folder


@pytest.fixture(scope="module")
def findings(folder):
    _, found = audit(str(folder / "planted"), "generated", progress=False)
    return json.loads(json.dumps(found))


def places(groups) -> list[list[tuple[str, int]]]:
    return [[(row["split"], row["row"]) for row in group["rows"]] for group in groups]


def test_every_planted_fault_is_found_and_named(findings):
    duplicates = findings["duplicates"]
    assert places(duplicates["leaked_photos"]) == [[("train", 3), ("validation", 0)]]
    assert places(duplicates["photos"]) == [[("train", 5), ("train", 9)]]
    assert places(duplicates["near_titles"]) == [[("train", 6), ("train", 7)]]
    assert places(duplicates["titles"]) == [[("validation", 1), ("validation", 2)]]
    assert places(duplicates["leaked_titles"]) == [[("train", 8), ("validation", 4)]]
    (empty,) = findings["captions"]["empty"]
    assert (empty["split"], empty["row"]) == ("validation", 6)
    assert planted_corpus()["validation"]["product_id"][6] in empty["source"]
    assert "Onlyhere" in findings["values"]["brand"]["rare"]
    assert findings["reachable"].keys() == {"validation"} and findings["unreadable"] == []
    assert findings["splits"] == {"train": TRAIN_ROWS, "validation": VALIDATION_ROWS} and not findings["held_out"]
    assert findings["disagreements"] is None


def test_a_model_judges_the_splits_that_are_read(folder):
    corpus, model = str(folder / "planted"), str(folder / "e2")
    _, found = audit(corpus, "generated", ["validation"], model, device="cpu", progress=False)
    assert found["splits"] == {"validation": VALIDATION_ROWS} and found["duplicates"]["leaks"] == []
    assert found["disagreements"]["colour"]["judged"] == VALIDATION_ROWS
    assert found["captions"]["counted"] and found["captions"]["limit"] == 40
    issue = found["disagreements"]["season"]["issues"][0]
    assert issue["row"]["split"] == "validation" and issue["value"] != issue["seen"]


def test_a_corpus_of_one_split_is_divided_as_in_training(tmp_path):
    concatenate_datasets(list(clean_corpus().values())).save_to_disk(tmp_path / "one")
    corpus, held_out = load_audited(str(tmp_path / "one"), COLUMN_MAP)
    assert held_out and list(corpus.splits) == ["train", "validation"] and len(corpus) == TRAIN_ROWS + VALIDATION_ROWS
    whole, held_out = load_audited(str(tmp_path / "one"), ColumnMap(caption="caption"))
    assert not held_out and list(whole.splits) == ["train"]


def test_what_a_training_cannot_divide_is_audited_as_one_split(tmp_path, caplog):
    products(1).save_to_disk(tmp_path / "one")
    products(3).map(lambda row: row | {"id": None}).save_to_disk(tmp_path / "without_ids")
    column_map = ColumnMap(caption="title", product_id="id")
    for name, rows, reason in (("one", 1, "leave a split empty"), ("without_ids", 3, "is empty in 3 of the rows")):
        corpus, held_out = load_audited(str(tmp_path / name), column_map)
        assert len(corpus) == rows and not held_out and list(corpus.splits) == ["train"]
        assert "audited as one split" in caplog.text and reason in caplog.text


def test_leaks_are_counted_in_the_split_that_is_not_trained_on(tmp_path):
    products(6).to_parquet(tmp_path / "train.parquet")
    concatenate_datasets([products(1)] * 3).to_parquet(tmp_path / "test.parquet")
    (tmp_path / "map.yaml").write_text('{"caption": "title", "product_id": "id"}')
    for splits in (None, ["test", "train"]):
        _, found = audit(str(tmp_path), str(tmp_path / "map.yaml"), splits, progress=False)
        (leak,) = found["duplicates"]["leaks"]
        assert (leak["first"], leak["second"], leak["same_photo"], leak["same_title"]) == ("train", "test", 3, 3)


def test_photos_that_cannot_be_read_are_findings(tmp_path):
    def broken(row, number):
        return {"image": {"bytes": b"no photo", "path": None}} if number == 2 else row

    columns = {"image": "image", "caption": "title", "product_id": "id", "tags": {"brand": "brand"}}
    (tmp_path / "map.yaml").write_text(json.dumps(columns))
    splits = DatasetDict(train=products(4), validation=products(6, first=10).map(broken, with_indices=True))
    splits.save_to_disk(tmp_path / "corpus")
    _, found = audit(str(tmp_path / "corpus"), str(tmp_path / "map.yaml"), progress=False)
    (bad,) = found["unreadable"]
    assert (bad["row"]["split"], bad["row"]["row"]) == ("validation", 2) and "p012" in bad["row"]["source"]
    assert found["reachable"]["validation"]["cross_modal"]["own_row"]["image_to_text_num_queries"] == 5
    splits["validation"].select([2]).save_to_disk(tmp_path / "none")
    with pytest.raises(ValueError, match=r"every row has a photo that cannot be read, the first: .*'p012'.*no photo"):
        audit(str(tmp_path / "none"), str(tmp_path / "map.yaml"), ["train"], progress=False)


def test_wrong_splits_and_columns_are_refused(folder):
    with pytest.raises(ValueError, match=r"no split 'valdation' .*did you mean 'validation'"):
        load_audited(str(folder / "planted"), COLUMN_MAP, ["valdation"])
    with pytest.raises(CorpusError, match="no column 'titel'"):
        load_audited(str(folder / "planted"), ColumnMap(caption="titel"))
