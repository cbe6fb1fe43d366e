"""What can be reached, next to what the evaluation of a perfect or a random model measures."""

import pytest
import torch
from datasets import Dataset, Features, Image, Value

from hf_fashion.audit.reachable import reachable_metrics
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.corpus import photo_ids
from hf_fashion.metrics import precision_at_k
from tests.audit.planted import COLUMN_MAP, clean_corpus, planted_corpus
from tests.data.corpora import jpeg


def dataset(**columns) -> Dataset:
    number = len(next(iter(columns.values())))
    columns = {"image": [{"bytes": jpeg(seed), "path": None} for seed in range(number)]} | columns
    features = Features({name: Image() if name == "image" else Value("string") for name in columns})
    return Dataset.from_dict(columns, features=features)


def test_titles_of_the_same_words_lower_the_ceiling_by_words():
    titles = dataset(title=["Red dress", "Dress, red", "Blue coat", None])
    found = reachable_metrics(titles, ColumnMap(caption="title"), torch.arange(4))["cross_modal"]["distinct_titles"]
    assert found["num_without_title"] == 1 and found["image_to_text_num_queries"] == 3
    for direction in ("image_to_text", "text_to_image"):
        assert found[f"{direction}_recall_ceiling@1"] == 1
        assert found[f"{direction}_wording_ceiling@1"] == pytest.approx(2 / 3)
        assert found[f"{direction}_recall_chance@1"] == pytest.approx(1 / 3)


def test_shared_titles_lower_the_ceiling_of_their_own_rows():
    validation = planted_corpus()["validation"].select([0, 1, 2, 3])  # 1 and 2 share a title
    found = reachable_metrics(validation, COLUMN_MAP, photo_ids(validation))["cross_modal"]
    assert found["own_row"]["image_to_text_recall_ceiling@1"] == pytest.approx(3 / 4)
    assert found["distinct_titles"]["image_to_text_recall_ceiling@1"] == 1
    assert found["same_title"]["text_to_image_num_candidates"] == 4


def test_equal_photos_with_other_tags_lower_the_ceiling_of_naming():
    tagged = dataset(colour=["red", "blue", "red", None])
    found = reachable_metrics(tagged, ColumnMap(tags={"colour": "colour"}), torch.tensor([0, 0, 1, 2]))["tags"]
    assert found["colour"]["accuracy_ceiling"] == pytest.approx(2 / 3)
    assert found["colour"]["majority_rate"] == pytest.approx(2 / 3) and found["colour"]["num_tags"] == 2


def test_chance_by_tag_is_what_one_score_for_all_gets():
    validation = clean_corpus()["validation"]
    found = reachable_metrics(validation, COLUMN_MAP, photo_ids(validation))["tags"]["colour"]
    colours = validation["colour"][:]
    labels = torch.tensor([sorted(set(colours)).index(colour) for colour in colours])
    queries = torch.arange(len(set(colours)))
    same = precision_at_k(torch.ones(len(queries), 1), torch.ones(len(labels), 1), queries, labels, ks=(10,))
    assert found["precision_chance@10"] == pytest.approx(same["precision@10"])


def test_queries_without_a_match_lower_the_ceiling_of_map():
    labelled = dataset(neck=["a", "b", "c", "d", "e"])
    found = reachable_metrics(labelled, ColumnMap(attributes={"neck": "neck"}), torch.arange(5))["attributes"]["neck"]
    assert found["num_queries"] == found["num_without_match"] == 1 and found["map_ceiling"] == 0


def test_an_attribute_that_cannot_be_evaluated_says_why():
    labelled = dataset(neck=["a", "a", "a"], hem=["a", "b", None])
    column_map = ColumnMap(attributes={"neck": "neck", "hem": "hem"})
    found = reachable_metrics(labelled, column_map, torch.arange(3))["attributes"]
    assert "two values" in found["neck"]["problem"] and "label at least 5" in found["hem"]["problem"]
