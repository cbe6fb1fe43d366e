import pytest

from hf_fashion.data.converters.fashion_iq import ChangeQuery, read_fashion_iq, read_fashion_iq_queries
from tests.data.converted import converted, save_json, save_photos


QUERIES = [
    {"candidate": "B001", "target": "B002", "captions": ["is red", "has no sleeves"]},
    {"candidate": "B003", "target": "B001", "captions": ["is longer", "is darker"]},
]


@pytest.fixture
def folder(tmp_path):
    """Fashion-IQ with two categories, of which one photo is in both, and a test split without targets."""
    folder = tmp_path / "fashion-iq"
    save_json(folder / "captions" / "cap.dress.val.json", QUERIES)
    save_json(folder / "captions" / "cap.dress.test.json", [{"candidate": "B005", "captions": ["is blue"]}])
    save_json(folder / "image_splits" / "split.dress.val.json", ["B001", "B002", "B003"])
    save_json(folder / "image_splits" / "split.shirt.val.json", ["B003", "B004"])
    save_json(folder / "image_splits" / "split.dress.test.json", ["B005"])
    save_photos(folder / "images", "B001.png", "B002.jpg", "B003.jpg", "B004.jpg", "B005.jpg")
    return folder


def test_photos_are_a_corpus(folder, tmp_path):
    corpus = converted("fashion-iq", folder, tmp_path / "out")
    assert corpus["validation"]["photo_id"][:] == ["B001", "B002", "B003", "B004"]
    assert corpus["validation"]["categories"][:] == [["dress"], ["dress"], ["dress", "shirt"], ["shirt"]]
    assert corpus["test"][0]["image"].size == (12, 16)
    assert corpus["test"]["source_row"][:] == ["split.dress.test.json, entry 1"]


def test_queries_and_gallery_of_a_category(folder):
    read = read_fashion_iq_queries(folder, "dress")
    assert (read.category, read.split, read.gallery_ids) == ("dress", "validation", ("B001", "B002", "B003"))
    assert read.queries[0] == ChangeQuery("B001", "B002", ("is red", "has no sleeves"))
    assert read_fashion_iq_queries(folder, "dress", "test").queries == (ChangeQuery("B005", None, ("is blue",)),)


def test_what_is_wrong_is_named_by_its_query(folder):
    captions = folder / "captions" / "cap.dress.val.json"
    save_json(captions, [*QUERIES, {"candidate": "B001", "target": "B04", "captions": ["is red"]}])
    with pytest.raises(ValueError, match=r"not in the gallery of this split:\s+query 3: 'B04'"):
        read_fashion_iq_queries(folder, "dress")
    save_json(captions, [{"candidate": "B001", "captions": "is red"}])
    with pytest.raises(ValueError, match=r"query 1: 'captions' is 'is red', expected a list"):
        read_fashion_iq_queries(folder, "dress")
    for wrong in (["is red", 7], []):
        save_json(captions, [{"candidate": "B001", "target": "B002", "captions": wrong}])
        with pytest.raises(ValueError, match=r"no captions, or some that are not text:\s+query 1"):
            read_fashion_iq_queries(folder, "dress")
    with pytest.raises(ValueError, match="`split` must be one of train, validation, test, got 'val'"):
        read_fashion_iq_queries(folder, "dress", "val")
    with pytest.raises(FileNotFoundError, match=r"holds no split\.toptee\.val\.json"):
        read_fashion_iq_queries(folder, "toptee")


def test_lists_that_are_wrong_are_named(folder):
    listed = folder / "image_splits" / "split.dress.val.json"
    save_json(listed, ["B001", "B002", "B001"])
    with pytest.raises(ValueError, match=r"ids come twice.*\s+entry 3: 'B001'"):
        read_fashion_iq(folder)
    save_json(listed, {"B001": 1})
    with pytest.raises(ValueError, match=r"split\.dress\.val\.json: expected a list of ids"):
        read_fashion_iq(folder)
    listed.rename(listed.with_name("split.dress.dev.json"))
    with pytest.raises(ValueError, match=r"its name must be split\.CATEGORY\.train\.json"):
        read_fashion_iq(folder)


def test_a_photo_that_is_not_there_is_named(folder, tmp_path):
    (folder / "images" / "B004.jpg").unlink()
    with pytest.raises(ValueError, match=r"split\.shirt\.val\.json, entry 2: there is no file .*B004\.jpg"):
        converted("fashion-iq", folder, tmp_path / "out")
    save_photos(folder / "images" / "more", "B001.jpg")
    with pytest.raises(ValueError, match=r"two photos are called 'B001' \(B001\.png, more/B001\.jpg\)"):
        read_fashion_iq(folder)
