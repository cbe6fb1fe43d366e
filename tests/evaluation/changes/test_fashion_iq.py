"""Fashion-IQ's protocol on a few made photos."""

import json

import pytest
from datasets import Dataset

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation.changes.fashion_iq import evaluate_fashion_iq, joined_captions
from hf_fashion.evaluation.evaluate import evaluate
from tests.tiny_e2 import tiny_images


IDS = [f"B{number:03d}" for number in range(14)]


@pytest.fixture
def folder(tmp_path):
    """Two categories: one of 13 photos and three queries, one of two photos and one query."""
    queries = {
        "dress": [
            {"candidate": IDS[0], "target": IDS[1], "captions": ["is red.", "has no sleeves"]},
            {"candidate": IDS[2], "target": IDS[2], "captions": ["is the same", "looks alike"]},
            {"candidate": IDS[13], "target": IDS[12], "captions": ["is blue", "is longer"]},
        ],
        "shirt": [{"candidate": IDS[0], "target": IDS[13], "captions": ["is blue", "has stripes"]}],
    }
    for name, gallery in {"dress": IDS[:13], "shirt": [IDS[0], IDS[13]]}.items():
        (tmp_path / f"cap.{name}.val.json").write_text(json.dumps(queries[name]))
        (tmp_path / f"split.{name}.val.json").write_text(json.dumps(gallery))
    return tmp_path


@pytest.fixture
def photos():
    return Dataset.from_dict({"image": tiny_images(14), "photo_id": IDS, "categories": [["dress"]] * 14})


def test_categories_and_their_means(e2, processor, folder, photos):
    column_map = ColumnMap.shipped("fashion-iq")
    results = evaluate_fashion_iq(e2, processor, photos, column_map, folder, progress=False)
    assert results["entities"] == ["dress", "shirt"] and results["rows"][-1] == "regions"
    assert (results["dress_num_queries"], results["dress_num_photos"]) == (3, 13)
    assert results["dress_num_left_out_queries"] == results["dress_num_left_out_photos"] == 0
    # A photo finds itself first, so that only another's target may be missed; the shirts are two.
    assert results["dress_photo_recall@10"] >= 1 / 3 and results["dress_photo_recall@50"] == 1
    assert results["shirt_words_recall@10"] == 1
    recalls = [results[f"{name}_regions_recall@{k}"] for name in ("dress", "shirt") for k in (10, 50)]
    assert results["mean_recall"] == pytest.approx(sum(recalls) / 4)


def test_captions_are_joined():
    assert joined_captions(["is red.", " has no sleeves"]) == "Is red and has no sleeves"


def test_photos_that_the_corpus_lacks_are_left_out(e2, processor, folder, photos, caplog):
    (folder / "cap.shirt.val.json").unlink()
    asked = (e2, processor, photos.select([*range(6), *range(7, 13)]), ColumnMap.shipped("fashion-iq"), folder)
    results = evaluate_fashion_iq(*asked, progress=False)
    assert (results["dress_num_queries"], results["dress_num_left_out_queries"]) == (2, 1)  # the photo of one is lost
    assert (results["dress_num_photos"], results["dress_num_left_out_photos"]) == (12, 1)
    assert "lacks 2 photos" in caplog.text and "2 of 3 queries and 12 of 13 photos" in caplog.text
    assert "B006" in caplog.text and "B013" in caplog.text
    (folder / "split.dress.val.json").write_text(json.dumps([*IDS[:6], *IDS[7:13]]))
    queries = json.loads((folder / "cap.dress.val.json").read_text())[:2]
    (folder / "cap.dress.val.json").write_text(json.dumps(queries))
    whole = evaluate_fashion_iq(*asked, progress=False)
    assert {name: value for name, value in results.items() if "left_out" not in name} == {
        name: value for name, value in whole.items() if "left_out" not in name
    }


def test_captions_that_name_no_difference_are_searched_by_the_photo(e2, processor, folder, photos, caplog):
    queries = [{"candidate": IDS[0], "target": IDS[0], "captions": ["is the same.", "the same one"]}]
    (folder / "cap.shirt.val.json").write_text(json.dumps(queries))
    results = evaluate_fashion_iq(e2, processor, photos, ColumnMap.shipped("fashion-iq"), folder, progress=False)
    assert results["shirt_num_queries"] == results["shirt_regions_recall@10"] == 1
    assert "1 of 1 queries of shirt name no difference" in caplog.text and "of dress" not in caplog.text


def test_what_is_missing_is_named(e2, processor, folder, photos):
    asked = (e2, processor, photos.select(range(13)), ColumnMap.shipped("fashion-iq"))
    with pytest.raises(
        ValueError, match=r"shirt: the corpus lacks 1 photos, .* 0 of 1 queries .*another split.*\s+B013"
    ):
        evaluate_fashion_iq(*asked, folder)
    with pytest.raises(ValueError, match="test split are not published"):
        evaluate_fashion_iq(*asked, folder, "test")
    with pytest.raises(ValueError, match="add their column as `product_id`"):
        evaluate_fashion_iq(*asked[:3], ColumnMap(), folder)
    with pytest.raises(FileNotFoundError, match=r"has no cap\.dress\.val\.json"):
        evaluate_fashion_iq(*asked, folder / "captions")


def test_the_entrance_measures_only_these_queries(e2, processor, folder, photos, tmp_path):
    for part in (e2, processor):
        part.save_pretrained(tmp_path / "model")
    (tmp_path / "corpus").mkdir()
    photos.to_parquet(tmp_path / "corpus" / "validation.parquet")
    options = {"column_map": "fashion-iq", "fashion_iq": str(folder)}
    results = evaluate(str(tmp_path / "model"), str(tmp_path / "corpus"), **options)
    assert "cross_modal" not in results and results["fashion_iq"]["entities"] == ["dress", "shirt"]
