import logging

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.converters.hm import read_hm
from hf_fashion.data.splits import train_and_validation
from tests.data.converted import converted, save_photos


HEADER = "article_id,product_code,prod_name,product_type_name,product_group_name,graphical_appearance_name,"
HEADER += "colour_group_name,department_name,detail_desc"
ROWS = [
    '0108775015,0108775,Strap top,Vest top,Garment Upper body,Solid,Black,Jersey Basic,"Jersey top, narrow straps."',
    "0108775044,0108775,Strap top,Vest top,Garment Upper body,Solid,White,Jersey Basic,",
    "0110065001,0110065,OP T-shirt,Bra,Underwear,Solid,Black,Clean Lingerie,Microfibre bra.",
]
PHOTOS = ("010/0108775015.jpg", "010/0108775044.jpg", "011/0110065001.jpg")


def save(folder, rows=ROWS, header=HEADER, encoding="utf-8"):
    folder.mkdir(exist_ok=True)
    (folder / "articles.csv").write_text("\n".join([header, *rows, ""]), encoding=encoding)
    save_photos(folder / "images", *PHOTOS)
    return folder


def test_articles_keep_their_zero_and_find_their_photos(tmp_path):
    corpus = converted("hm", save(tmp_path / "in"), tmp_path / "out")["train"]
    assert corpus["article_id"][:] == ["0108775015", "0108775044", "0110065001"]
    assert corpus["caption"][:] == ["Jersey top, narrow straps.", "Strap top", "Microfibre bra."]
    assert corpus["product_code"][2] == "0110065" and corpus["image"][0].size == (12, 16)
    assert corpus["source_row"][1] == "articles.csv, line 3"


def test_articles_of_one_product_are_in_one_split(tmp_path):
    corpus = converted("hm", save(tmp_path / "in"), tmp_path / "out")
    splits = train_and_validation(corpus, ColumnMap.shipped("hm"), validation_fraction=0.5, seed=1)
    codes = [set(split["product_code"][:]) for split in splits.values()]
    assert sorted(map(len, codes)) == [1, 1] and not codes[0] & codes[1]


def test_zeros_that_a_spreadsheet_dropped_come_back(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        splits = read_hm(save(tmp_path, [row.removeprefix("0") for row in ROWS]))
    assert [row["article_id"] for row in splits["train"]] == ["0108775015", "0108775044", "0110065001"]
    assert "fewer than 10 digits, which get their zeros again" in caplog.text and "line 2: 108775015" in caplog.text


def test_what_is_wrong_is_named(tmp_path):
    save(tmp_path, [*ROWS, "SKU-1" + ROWS[0][10:]])
    with pytest.raises(ValueError, match=r"ids that are not 10 digits:\s+line 5: 'SKU-1'"):
        read_hm(tmp_path)
    save(tmp_path, header=HEADER.replace("detail_desc", "description"))
    with pytest.raises(ValueError, match="no column 'detail_desc'"):
        read_hm(tmp_path)
    save(tmp_path, [*ROWS, ROWS[0]])
    with pytest.raises(ValueError, match=r"articles\.csv, line 5: '0108775015' is that of articles\.csv, line 2 too"):
        converted("hm", tmp_path, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"holds no articles\.csv: name the folder"):
        read_hm(tmp_path / "images")


def test_an_article_without_a_photo_is_an_error_or_stays(tmp_path, caplog):
    save(tmp_path / "in")
    (tmp_path / "in" / "images" / PHOTOS[1]).unlink()
    with pytest.raises(ValueError, match=r"1 rows without[^;]*line 3: there is no file .*0108775044\.jpg"):
        converted("hm", tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="1 unreadable image"), caplog.at_level(logging.WARNING):
        converted("hm", tmp_path / "in", tmp_path / "out", on_bad_image="skip")
    assert "the rows stay, and a check of the corpus finds them" in caplog.text
