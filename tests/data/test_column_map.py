import pytest

from hf_fashion.data.column_map import ColumnMap, column_map_for, find_for, shipped_names
from hf_fashion.data.converters.formats import FORMATS, WRITERS


def test_reads_yaml_and_lists_the_columns_it_names(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text(
        "image: photo\ncaption: title\ntags: {brand: maker}\nattributes: {neck: neckline}\nproduct_id: sku\n"
    )
    column_map = ColumnMap.from_yaml(path)
    assert column_map.columns() == {
        "image": "photo",
        "caption": "title",
        "product_id": "sku",
        "tags.brand": "maker",
        "attributes.neck": "neckline",
    }
    assert ColumnMap.from_dict(column_map.to_dict()) == column_map


def test_words_that_yaml_takes_for_booleans_are_names_of_columns(tmp_path):
    (tmp_path / "map.yaml").write_text("image: on\ntags: {no: off}\nattributes: {yes: yes}\n")
    column_map = ColumnMap.from_yaml(tmp_path / "map.yaml")
    assert column_map == ColumnMap("on", tags={"no": "off"}, attributes={"yes": "yes"})
    assert {type(word) for word in (column_map.image, *column_map.tags, *column_map.tags.values())} == {str}


def test_unknown_key_names_the_file_and_the_key_that_was_meant(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("captoin: title\n")
    with pytest.raises(
        ValueError, match=r"map\.yaml: .*'captoin' \(did you mean 'caption'\?\); allowed: image, caption"
    ):
        ColumnMap.from_yaml(path)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"image": None}, "`image`"),
        ({"caption": 3}, "`caption`"),
        ({"tags": ["brand"]}, "`tags`"),
        ({"tags": {"brand": None}}, "tags.brand"),
        ({"product_pattern": "("}, "product_pattern"),
        (["image"], "key: value"),
    ],
)
def test_wrong_values_are_named(values, field):
    with pytest.raises(ValueError, match=field):
        ColumnMap.from_dict(values)


def test_product_pattern_takes_the_group_the_match_or_the_whole_id():
    assert ColumnMap(product_pattern=r"id_\d+").product_of("MEN-Denim-id_00000080-01_1") == "id_00000080"
    assert ColumnMap(product_pattern=r"^(\w+)-").product_of("shirt-3") == "shirt"
    assert ColumnMap(product_pattern=r"id_\d+").product_of("77") == "77"
    assert ColumnMap().product_of("a_1") == "a_1"


# Corpora only for attribute models.
WITHOUT_TEXT = ("tshirts", "fashionai", "darn", "deepfashion", "deepfashion-inshop", "fashion-iq", "fashionpedia")


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_maps_load(name):
    column_map = ColumnMap.shipped(name)
    assert column_map.tags or name in (*WITHOUT_TEXT, "webdataset")  # whose tags are those of its JSON
    assert column_map.product_id
    assert (column_map.caption is None) == (name in {"Marqo/iMaterialist", *WITHOUT_TEXT})
    assert column_map.attributes or name not in WITHOUT_TEXT


def test_the_hub_corpora_that_users_know_have_a_map():
    marqo = (
        "KAGL",
        "atlas",
        "deepfashion-inshop",
        "deepfashion-multimodal",
        "fashion200k",
        "polyvore",
        "iMaterialist",
    )
    wanted = {f"Marqo/{name}" for name in marqo} | {"ashraq/fashion-product-images-small"}
    wanted |= {"generated", "product-feed", "catalog", *FORMATS, *WRITERS}
    assert wanted | set(WITHOUT_TEXT) == set(shipped_names())


def test_find_for_ignores_case_and_knows_when_it_has_none():
    assert find_for("marqo/kagl") == ColumnMap.shipped("Marqo/KAGL")
    assert find_for("somebody/else") is None
    with pytest.raises(ValueError, match="did you mean 'Marqo/KAGL'"):
        ColumnMap.shipped("Marqo/KAGLE")


def test_column_map_for_a_file_a_name_or_the_corpus(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("caption: title\n")
    assert column_map_for(str(path), "generated") == ColumnMap(caption="title")
    assert column_map_for("fashiongen", "generated") == ColumnMap.shipped("fashiongen")
    assert column_map_for(None, "marqo/kagl") == ColumnMap.shipped("Marqo/KAGL")
    with pytest.raises(ValueError, match=r"no column map is shipped for 'feed\.csv'.*one of .*fashiongen"):
        column_map_for(None, "feed.csv")
    with pytest.raises(ValueError, match="did you mean 'fashiongen'"):
        column_map_for("fashongen", "feed.csv")
    with pytest.raises(FileNotFoundError, match=r"gone\.yaml"):
        column_map_for("gone.yaml", "feed.csv")
