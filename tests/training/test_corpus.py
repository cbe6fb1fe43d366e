"""The data of a run: feeds, maps, the generated corpus, tag entities."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from hf_fashion.data.attributes.vocabulary import with_attributes
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.training.corpus import load_data, with_entities
from hf_fashion.training.recipe import DataRecipe
from tests.scripts.tiny_run import tiny_corpus


def test_a_product_feed_with_a_missing_photo(tmp_path):
    rows = [{"id": str(n), "photo": f"{n}.png", "title": f"dress {n}"} for n in range(40)]
    for row in rows[1:]:
        Image.new("RGB", (8, 8), (int(row["id"]) * 6, 0, 0)).save(tmp_path / row["photo"])
    (tmp_path / "feed.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "map.yaml").write_text("image: photo\ncaption: title\nproduct_id: id\n")
    feed = {"corpus": str(tmp_path / "feed.jsonl"), "column_map": str(tmp_path / "map.yaml")}
    with pytest.raises(ValueError, match=r"feed\.jsonl, line 1 \(id '0', .*0\.png\): there is no such file"):
        load_data(DataRecipe(**feed))
    corpus, _, report = load_data(DataRecipe(**feed, on_bad_image="skip"))
    assert sum(corpus.num_rows.values()) == 39 and "skip" in str(report)


def test_a_corpus_without_a_map_is_refused(tmp_path):
    with pytest.raises(ValueError, match="column_map"):
        load_data(DataRecipe(corpus=str(tmp_path)))


def test_options_of_the_generated_corpus_do_not_disturb_another(tmp_path):
    """The quickstart's recipe has them; `--set data.corpus=` must be enough to read another corpus."""
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text("caption: title\n")
    data = DataRecipe(str(tmp_path / "corpus"), str(tmp_path / "map.yaml"), generated={"train_rows": 5})
    assert load_data(data)[0]["train"].num_rows == 24


def test_titles_on_both_sides_of_what_is_held_out_are_counted(tmp_path):
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text("caption: brand\nproduct_id: title\n")
    data = DataRecipe(str(tmp_path / "corpus"), str(tmp_path / "map.yaml"), on_leak="warn", held_out_fraction=0.3)
    kept, held_out = (load_data(data, False, out)[0]["train"]["brand"] for out in (False, True))
    shared = sum(brand in set(filter(None, kept)) for brand in held_out)
    assert f", {shared} of them with a title that others have too" in str(load_data(data, False)[2]) and shared > 0


def test_a_part_of_the_products_is_held_out_for_a_re_ranker(tmp_path):
    tiny_corpus(tmp_path)
    (tmp_path / "map.yaml").write_text("caption: title\nproduct_id: title\n")
    data = DataRecipe(str(tmp_path / "corpus"), str(tmp_path / "map.yaml"), on_leak="warn")
    whole, _, _ = load_data(data)
    kept, held_out = (load_data(replace(data, held_out_fraction=0.3), held_out=out)[0] for out in (False, True))
    assert sorted([*kept["train"]["title"], *held_out["train"]["title"]]) == sorted(whole["train"]["title"])
    assert len(kept["train"]) > len(held_out["train"]) > 0
    report = str(load_data(replace(data, held_out_fraction=0.3))[2])
    assert f"held out: {len(held_out['train'])} of the 24 rows of train" in report and "this run does not" in report
    assert (
        list(kept["validation"]["title"])
        == list(held_out["validation"]["title"])
        == list(whole["validation"]["title"])
    )


def test_entities_are_chosen_and_ordered_by_the_model():
    column_map = ColumnMap(tags={"brand": "maker", "colour": "colour", "season": "season"})
    assert list(with_entities(column_map, ["colour", "brand"]).tags.items()) == [
        ("colour", "colour"),
        ("brand", "maker"),
    ]
    with pytest.raises(ValueError, match="neckline"):
        with_entities(column_map, ["neckline"])


def test_attributes_are_chosen_and_ordered():
    column_map = ColumnMap(attributes={"neck": "a", "sleeve": "b", "hem": "c"})
    assert list(with_attributes(column_map, ["hem", "neck"]).attributes.items()) == [("hem", "c"), ("neck", "a")]
    assert with_attributes(column_map, None) is column_map


def test_an_attribute_without_a_column_is_named():
    with pytest.raises(ValueError, match=r"data.attributes.*'sleeves'.*sleeve"):
        with_attributes(ColumnMap(attributes={"sleeve": "b"}), ["sleeves"])
