import pytest

from hf_fashion.data.converters.polyvore import read_polyvore
from tests.data.converted import converted, save_json, save_photos


ITEMS = {
    "11": {
        "title": "",
        "url_name": "striped tee",
        "description": "",
        "category_id": "21",
        "semantic_category": "tops",
    },
    "12": {"title": "Red skirt", "description": "A skirt", "category_id": "7", "semantic_category": "bottoms"},
    "13": {"title": "Boots", "category_id": "41", "semantic_category": "shoes"},
}
OUTFITS = [
    {"set_id": "901", "items": [{"item_id": "11", "index": 1}, {"item_id": "12", "index": 2}]},
    {"set_id": "902", "items": [{"item_id": "12", "index": 1}, {"item_id": "12", "index": 2}]},
]


def outfits_folder(folder):
    save_json(folder / "polyvore_item_metadata.json", ITEMS)
    save_json(folder / "disjoint" / "train.json", OUTFITS)
    save_json(folder / "disjoint" / "test.json", [{"set_id": "903", "items": [{"item_id": "13", "index": 1}]}])
    save_photos(folder / "images", "11.jpg", "12.jpg", "13.jpg")
    return folder / "disjoint"


def test_a_row_for_each_item_of_the_outfits(tmp_path):
    corpus = converted("polyvore", outfits_folder(tmp_path / "in"), tmp_path / "out")
    train = corpus["train"].remove_columns("image")
    assert train["item_id"][:] == ["11", "12"] and train["outfits"][:] == [["901"], ["901", "902"]]
    assert train["title"][:] == ["striped tee", "Red skirt"] and train["category"][:] == ["tops", "bottoms"]
    assert corpus["test"]["source_row"][:] == ["test.json, outfit 1, item 13"]


def test_the_older_polyvore(tmp_path):
    items = [{"index": 1, "name": "polo shirt", "price": 12.0, "image": "http://img.example/1", "categoryid": 4}]
    save_json(tmp_path / "in" / "train_no_dup.json", [{"set_id": "77", "name": "casual", "items": items}])
    (tmp_path / "in" / "category_id.txt").write_text("2 Clothing\n4 Day Dresses\n")
    save_photos(tmp_path / "in" / "images", "77/1.jpg")
    (row,) = converted("polyvore", tmp_path / "in", tmp_path / "out")["train"].remove_columns("image")
    assert (row["item_id"], row["title"], row["category"]) == ("77_1", "polo shirt", "Day Dresses")


def test_what_is_wrong_is_named_by_outfit_and_item(tmp_path):
    folder = outfits_folder(tmp_path)
    save_json(folder / "train.json", [*OUTFITS, {"set_id": "904", "items": [{"item_id": "99"}]}])
    with pytest.raises(ValueError, match=r"does not have these items of .*train\.json:\s+train\.json, outfit 3: 99"):
        read_polyvore(folder)
    save_json(folder / "train.json", [{"set_id": "901", "items": [{"item_id": "11"}, {"index": 2}]}])
    with pytest.raises(ValueError, match=r"outfit 1, item 2: no 'item_id'; it has: index"):
        read_polyvore(folder)
    save_json(folder / "train.json", [{"items": []}])
    with pytest.raises(ValueError, match=r"outfit 1: no 'set_id'"):
        read_polyvore(folder)
    (tmp_path / "polyvore_item_metadata.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no polyvore_item_metadata\.json in"):
        read_polyvore(folder)
    with pytest.raises(FileNotFoundError, match=r"neither train\.json \(Polyvore Outfits: name its folder disjoint"):
        read_polyvore(tmp_path)
