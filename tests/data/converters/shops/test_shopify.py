import pytest

from hf_fashion.data.converters.shops.shopify import read_shopify
from tests.data.converted import converted, save_photos


HEADER = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Option1 Name,Option1 Value,Option2 Name,"
HEADER += "Option2 Value,Variant SKU,Variant Price,Image Src,Image Position,Variant Image,Status"
ROWS = [
    'wool-coat,Wool <b>coat</b>,"<p>Warm,\nsoft.</p>",Acme,Coats,Coat,"warm, wool",Color,Red,Size,S,1,59.90,'
    "2.jpg,2,,active",
    "wool-coat,,,,,,,,Red,,M,2,49.90,1.jpg,1,3.jpg,",
    "wool-coat,,,,,,,,Blue,,S,3,59.90,,,1.jpg,",
    "gift-card,Gift card,,,,,,Title,Default Title,,,4,10,4.jpg,1,,draft",
]


def save(path, rows=ROWS, header=HEADER):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_rows_of_a_handle_are_one_product(tmp_path):
    save_photos(tmp_path, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    corpus = converted("shopify", save(tmp_path / "export.csv"), tmp_path / "out")["train"]
    coat, card = corpus
    assert len(coat.pop("image")) == 3
    assert coat == {
        "id": "wool-coat",
        "title": "Wool coat",
        "description": "Warm, soft.",
        "brand": "Acme",
        "category": "Coats",
        "type": "Coat",
        "tags": "warm, wool",
        "status": "active",
        "price": 49.9,
        "option_color": "Red, Blue",
        "option_size": "S, M",
        "variant_sku": "1, 2, 3",
        "source_row": "export.csv, line 2",
    }
    assert card["title"] == "Gift card" and card["option_color"] is None and card["source_row"] == "export.csv, line 6"


def test_products_that_are_not_for_sale_are_counted(tmp_path, caplog):
    rows = [*ROWS, "cap,Cap,,,,,,,,,,5,1,5.jpg,1,,Archived", "hat,Hat,,,,,,,,,,6,1,6.jpg,1,,ACTIVE"]
    assert len(read_shopify(save(tmp_path / "export.csv", rows))["train"]) == 4
    assert "of 4 products 1 Archived, 1 draft; they are rows too, with their `status`" in caplog.text
    caplog.clear()
    read_shopify(save(tmp_path / "export.csv", ROWS[:3]))
    assert caplog.text == ""


def test_photos_are_in_the_order_of_their_positions_and_variants_add_theirs(tmp_path):
    (coat, _) = read_shopify(save(tmp_path / "export.csv"))["train"]
    assert coat["image"] == [str(tmp_path / name) for name in ("1.jpg", "2.jpg", "3.jpg")]
    urls = [row.replace(".jpg", ".jpg?v=1").replace(",1.jpg", ",https://cdn.example/1.jpg") for row in ROWS]
    assert read_shopify(save(tmp_path / "export.csv", urls))["train"][0]["image"][0] == "https://cdn.example/1.jpg?v=1"


def test_the_newer_names_of_columns(tmp_path):
    header = "Title,URL handle,Description,Vendor,Option1 name,Option1 value,Price,Product image URL,Image position"
    save(tmp_path / "export.csv", ["Hat,hat,<p>Felt</p>,Acme,Color,Red,9.5,1.jpg,1", ",hat,,,,Blue,9,2.jpg,2"], header)
    (hat,) = read_shopify(tmp_path)["train"]
    assert (hat["id"], hat["title"], hat["description"], hat["price"]) == ("hat", "Hat", "Felt", 9.0)
    assert hat["option_color"] == "Red, Blue" and len(hat["image"]) == 2


def test_what_is_wrong_is_named_by_its_line(tmp_path):
    rows = [
        *ROWS,
        ",Hat,,,,,,,,,,5,1,5.jpg,1,,",
        "new,,,,,,,,,,,6,1,6.jpg,1,,",
        "wool-coat,Other coat,,,,,,,,,,7,1,7.jpg,1,,",
        "cap,Cap,,,,,,,,,,8,free,8.jpg,first,,",
        "wool-coat,Wool coat,,Bcme,,,,,,,,9,1,9.jpg,1,,",
    ]
    with pytest.raises(ValueError) as error:
        read_shopify(save(tmp_path / "export.csv", rows))
    text = str(error.value)
    assert "5 rows are not as Shopify exports them" in text
    assert "line 7: no Handle, so it belongs to no product" in text
    assert "line 8: the first row of 'new' has no title" in text
    assert "line 9: 'wool-coat' is the Handle of 'Wool coat' (export.csv, line 2) too" in text
    assert "line 10: the Image Position 'first' is no number: write numbers as 1299.90" in text
    assert (
        "line 11: Vendor 'Bcme' of 'wool-coat' differs from that of its first row, export.csv, line 2: 'Acme'" in text
    )


def test_another_table_is_refused(tmp_path):
    path = save(tmp_path / "export.csv", ["1,Hat,1.jpg"], "id,Title,Image Src")
    with pytest.raises(ValueError, match=r"line 1: no column 'Handle'.*is it Shopify's export of products"):
        read_shopify(path)
    with pytest.raises(FileNotFoundError, match=r"holds no \*\.csv"):
        (tmp_path / "empty").mkdir()
        read_shopify(tmp_path / "empty")


def test_options_of_one_name_are_one(tmp_path):
    rows = [row.replace(",Color,Red,Size,", ",Color,Red,color,") for row in ROWS]
    assert read_shopify(save(tmp_path / "export.csv", rows))["train"][0]["option_color"] == "Red, Blue, S, M"


def test_other_columns_and_an_option_called_title_are_kept(tmp_path):
    header = HEADER + ",Google Shopping / Gender,Color (product.metafields.custom.color),Variant Grams,"
    rows = [ROWS[0] + ",women,dark red,,", ROWS[1] + ",,,,", ROWS[2] + ",men,,,", ROWS[3] + ",,,,"]
    coat, card = read_shopify(save(tmp_path / "export.csv", rows, header))["train"]
    assert (coat["google_shopping_gender"], coat["metafield_custom_color"]) == ("women, men", "dark red")
    assert "variant_grams" not in coat and "option_title" not in card
    rows = [ROWS[0].replace(",Coat,", ",,"), ROWS[1].replace("wool-coat,,,,,,", "wool-coat,,,,,Coat,"), *ROWS[2:]]
    assert read_shopify(save(tmp_path / "export.csv", rows))["train"][0]["type"] == "Coat"
    rows = [row.replace("Title,Default Title", "Title,Card") for row in ROWS]
    assert read_shopify(save(tmp_path / "export.csv", rows))["train"][1]["option_title"] == "Card"


def test_columns_and_options_that_would_be_lost_are_named(tmp_path):
    with pytest.raises(ValueError, match="line 2: 'option1' has the value 'Red' and no name"):
        read_shopify(save(tmp_path / "export.csv", [ROWS[0].replace(",Color,Red,", ",,Red,"), *ROWS[1:]]))
    header = HEADER.replace("Variant SKU", "variant price")
    with pytest.raises(ValueError, match="line 1: 'variant price' and 'Variant Price' are one column"):
        read_shopify(save(tmp_path / "export.csv", header=header))
