import pytest

from hf_fashion.data.converters.shops.google_merchant import read_google_merchant
from tests.data.converted import converted, save_photos


TSV = [
    "id\ttitle\tdescription\timage link\tadditional_image_link\tprice\tgoogle_product_category\tcolor",
    'A1\tWool <i>coat</i>\t"<p>Warm, ""soft""</p>"\t1.jpg\t2.jpg, 3.jpg\t15.00 USD\tApparel > Coats\tred',
    "A2\tHat\t\t4.jpg\t\t\t\t",
]
XML = """<rss xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>A1</g:id><title>Coat</title><g:image_link>1.jpg</g:image_link><g:price>EUR 9.5</g:price>
<g:additional_image_link>2.jpg</g:additional_image_link><g:size>S</g:size><g:size>M</g:size></item>
<item><g:id>A2</g:id><title>Hat</title><g:image_link>3.jpg</g:image_link></item></channel></rss>"""


def save(path, lines=TSV):
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_a_table(tmp_path):
    save_photos(tmp_path, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    coat, hat = converted("google-merchant", save(tmp_path / "feed.tsv"), tmp_path / "out")["train"]
    assert len(coat.pop("image")) == 3 and len(hat["image"]) == 1
    assert coat == {
        "brand": None,
        "color": "red",
        "product_type": None,
        "id": "A1",
        "title": "Wool coat",
        "description": 'Warm, "soft"',
        "price": 15.0,
        "currency": "USD",
        "google_product_category": "Apparel > Coats",
        "source_row": "feed.tsv, line 2",
    }
    assert hat["price"] is None and hat["description"] is None


def test_xml(tmp_path):
    (tmp_path / "feed.xml").write_text(XML)
    coat, hat = read_google_merchant(tmp_path / "feed.xml")["train"]
    assert coat["image"] == [str(tmp_path / "1.jpg"), str(tmp_path / "2.jpg")]
    assert (coat["price"], coat["currency"], coat["size"]) == (9.5, "EUR", "S, M")
    assert hat["source_row"] == "feed.xml, line 4"


def test_urls_with_commas_stay_whole(tmp_path):
    row = "A1\tCoat\t\thttps://a/1.jpg\thttps://a/w=1,h=2/2.jpg,https://a/3.jpg\t\t\t"
    (coat,) = read_google_merchant(save(tmp_path / "feed.txt", [TSV[0], row]))["train"]
    assert coat["image"] == ["https://a/1.jpg", "https://a/w=1,h=2/2.jpg", "https://a/3.jpg"]


def test_what_is_wrong_is_named(tmp_path):
    wrong = [TSV[0], TSV[1].replace("15.00 USD", "15,00 USD"), TSV[2]]
    with pytest.raises(
        ValueError,
        match=r"1 items are not .*:\s+line 2: the price '15,00 USD' is not written as 1299\.90 EUR, in digits",
    ):
        read_google_merchant(save(tmp_path / "feed.tsv", wrong))
    with pytest.raises(ValueError, match=r"no column 'image_link' \(of a Google Merchant feed\)"):
        read_google_merchant(save(tmp_path / "feed.tsv", [line.replace("image link", "photo") for line in TSV]))
    with pytest.raises(ValueError, match=r"feed\.tsv, line 4: 'A1' is that of feed"):
        converted("google-merchant", save(tmp_path / "feed.tsv", [*TSV, TSV[1]]), tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"no feed .*name the file"):
        read_google_merchant(tmp_path)
    with pytest.raises(ValueError, match=r"a Google Merchant feed is \.tsv, \.txt, \.csv or \.xml"):
        read_google_merchant(save(tmp_path / "feed.xlsx"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,title,image_link,color,Color", "1,Dress,a.jpg,red,"], "the columns 'color', 'Color' are one attribute"),
        (["id,title,image_link,image link", "1,Dress,a.jpg,"], "the columns 'image_link', 'image link' are one"),
        (["id,title,image_link,image", "1,Dress,a.jpg,b.jpg"], "'image' is the name of a column of the corpus"),
        (
            ["id,title,image_link,price,sale_price", "1,Dress,a.jpg,15.00 EUR,12.00 USD"],
            "line 2: its prices are in EUR and USD",
        ),
    ],
)
def test_no_value_is_overwritten(lines, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_google_merchant(save(tmp_path / "feed.csv", lines))


@pytest.mark.parametrize(
    ("columns", "cells", "currency"),
    [
        ("price,sale_price", "15.00 EUR,12.00", "EUR"),
        ("price,currency", "15.00,EUR", "EUR"),
        ("price,currency", "15.00 EUR,EUR", "EUR"),
        ("price,currency", ",EUR", "EUR"),
        ("price", "15.00", None),
    ],
)
def test_the_currency_is_that_of_any_price(columns, cells, currency, tmp_path):
    lines = [f"id,title,image_link,{columns}", f"1,Dress,a.jpg,{cells}"]
    (row,) = read_google_merchant(save(tmp_path / "feed.csv", lines))["train"]
    assert row["currency"] == currency


def test_an_item_of_two_ids_or_prices_is_refused(tmp_path):
    item = "<item><g:id>{}</g:id><g:title>A <b>linen</b> dress</g:title><g:image_link>a.jpg</g:image_link>{}</item>"
    price, other = "<g:price>5 EUR</g:price>", "<g:price>9 EUR</g:price>"
    head, tail = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>', "</channel></rss>"
    path = save(tmp_path / "feed.xml", [head, item.format("1", price + price), tail])
    (row,) = read_google_merchant(path)["train"]
    assert (row["title"], row["price"]) == ("A linen dress", 5.0)
    for wrong, message in (
        (item.format("1</g:id><g:id>2", price), "line 2: it has 2 values of id: '1', '2'; keep one"),
        (item.format("1", price + other), "line 2: it has 2 values of price: '5 EUR', '9 EUR'; keep one"),
    ):
        with pytest.raises(ValueError, match=message):
            read_google_merchant(save(tmp_path / "feed.xml", [head, wrong, tail]))
