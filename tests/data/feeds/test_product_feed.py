import json
import time

import pytest
from datasets import Image, List

from hf_fashion.data.feeds.product_feed import is_feed, load_product_feeds
from tests.data.corpora import jpeg


def load_product_feed(path, image_column="image", require_files=True):
    return load_product_feeds({"train": [path]}, image_column, require_files)["train"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(3):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(number))
    return tmp_path


def write_csv(folder, delimiter=",", rows=3):
    lines = [("id", "photo", "title", "brand")]
    lines += [(f"00{number}", f"photos/{number}.jpg", "A shirt", ("NA", "")[number % 2]) for number in range(rows)]
    path = folder / "feed.csv"
    path.write_text("\n".join(delimiter.join(line) for line in lines), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_cells_stay_text_and_photos_open(folder, delimiter):
    dataset = load_product_feed(write_csv(folder, delimiter), image_column="photo")
    assert dataset["id"][:] == ["000", "001", "002"]
    assert dataset["brand"][:] == ["NA", None, "NA"]
    assert dataset.features["photo"] == Image()
    assert dataset[1]["photo"].size == (12, 16)


def test_json_lines_keep_types_and_views(folder):
    rows = [{"image": ["photos/0.jpg", "photos/1.jpg"], "price": 3.5}, {"image": "photos/2.jpg", "title": "Hat"}]
    path = folder / "feed.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    dataset = load_product_feed(path)
    assert dataset.features["image"] == List(Image())
    assert [len(views) for views in dataset["image"]] == [2, 1]
    assert dataset["price"][:] == [3.5, None]
    assert dataset["title"][:] == [None, "Hat"]


def test_json_takes_a_list_of_objects(folder):
    path = folder / "feed.json"
    path.write_text(json.dumps([{"image": str(folder / "photos" / "0.jpg")}]))
    assert load_product_feed(path)[0]["image"].size == (12, 16)


def test_missing_photos_are_named_with_their_rows(folder):
    path = write_csv(folder, rows=6)
    with pytest.raises(
        FileNotFoundError, match=r"feed\.csv: column 'photo': 3 rows without their photo: line 5: .*3\.jpg; line 6"
    ):
        load_product_feed(path, image_column="photo")
    assert len(load_product_feed(path, image_column="photo", require_files=False)) == 6
    path.write_text("photo\nPHOTOS\\0.jpg\nphotos\\0.jpg\n")
    with pytest.raises(FileNotFoundError, match=r"line 2: .*; line 3: .*0\.jpg \(did you mean '.*photos/0\.jpg'\?\)"):
        load_product_feed(path, image_column="photo")


def test_a_missing_image_column_lists_those_there_are(folder):
    with pytest.raises(
        ValueError,
        match=r"no column 'photos' \(paths of photos\) \(did you mean 'photo'\?\); columns: id, photo, title",
    ):
        load_product_feed(write_csv(folder), image_column="photos")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "image,title\nphotos/0.jpg,Hat,blue\n", r"line 2: more cells"),
        ("a.csv", "image,title\n", "no rows"),
        ("a.jsonl", '{"image": "photos/0.jpg"}\n{"image"}\n', r"line 2: not JSON"),
        ("a.json", '{"image": "photos/0.jpg"}', "one JSON object a product"),
        (
            "a.jsonl",
            '{"image": "photos/0.jpg", "x": 1}\n{"image": "photos/1.jpg", "x": "a"}',
            "line 2: column 'x' has 'a', which a table cannot hold with 1",
        ),
    ],
)
def test_broken_feeds_say_where(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        load_product_feed(folder / name)


def test_ids_that_look_like_decimals_stay_text(folder):
    (folder / "feed.csv").write_text("image,code,price\nphotos/0.jpg,4711.10,4.50\nphotos/1.jpg,4712.20,5\n")
    feeds = {"train": [folder / "feed.csv"]}
    row = load_product_feeds(feeds, id_column="code")["train"][0]
    assert (row["code"], row["price"]) == ("4711.10", 4.5)
    assert load_product_feeds(feeds, id_column="price")["train"]["price"][:] == ["4.50", "5"]


def test_numbers_are_numbers_in_all_feeds_or_in_none(folder):
    rows = {"train": "photos/0.jpg,10,007,1\n", "validation": "photos/1.jpg,9.5,8,x\n"}
    for name, row in rows.items():
        (folder / f"{name}.CSV").write_text(f"image,price,code,size\n{row}")
    corpus = load_product_feeds({name: [folder / f"{name}.CSV"] for name in rows})
    assert [split["price"][:] for split in corpus.values()] == [[10.0], [9.5]]
    assert [split["code"][:] for split in corpus.values()] == [["007"], ["8"]]
    assert [split["size"][:] for split in corpus.values()] == [["1"], ["x"]]


def test_a_cell_that_makes_prices_text_is_named(folder, caplog):
    rows = "".join(f"photos/0.jpg,{price}\n" for price in [*range(20), "12,50"]).replace("12,50", '"12,50"')
    (folder / "feed.csv").write_text(f"image,price\n{rows}")
    assert load_product_feed(folder / "feed.csv")["price"][-2:] == ["19", "12,50"]
    assert "column 'price' is text, since these cells are no numbers, and a filter such as price < 50" in caplog.text
    assert "feed.csv, line 22: '12,50'" in caplog.text


def test_missing_numbers_and_line_breaks_inside_cells_are_named(folder, caplog):
    rows = "".join(f"photos/0.jpg,{number},Lumaro\n" for number in range(20))
    (folder / "feed.csv").write_text(f'image,price,brand\n{rows}photos/0.jpg,nan,"Lumaro\nLife"\n')
    feed = load_product_feed(folder / "feed.csv")
    assert feed[20]["price"] is None and feed[20]["brand"] == "Lumaro\nLife"
    assert "column 'price' has these cells that count as empty:\n    " in caplog.text
    assert "feed.csv, line 22: 'nan'" in caplog.text
    assert "column 'brand' has cells with a line break, which stays part of the value" in caplog.text
    assert r"feed.csv, line 22: 'Lumaro\nLife'" in caplog.text


def test_prices_with_decimal_commas_stay_text_and_that_is_said(folder, caplog):
    rows = "".join(f"photos/0.jpg;{price},50\n" for price in range(20))
    (folder / "feed.csv").write_text(f"image;price\n{rows}")
    assert load_product_feed(folder / "feed.csv")["price"][:2] == ["0,50", "1,50"]
    assert "'price' is text, since its numbers have decimal commas" in caplog.text


def test_prices_with_signs_stay_text_and_the_first_is_named(folder, caplog):
    rows = "".join(f'photos/0.jpg,"$1,{price:03}.00"\n' for price in range(20))
    (folder / "feed.csv").write_text(f"image,price\nphotos/0.jpg,9.5\n{rows}")
    assert load_product_feed(folder / "feed.csv")["price"][:2] == ["9.5", "$1,000.00"]
    assert "column 'price' is text, since 20 of its numbers have a currency sign or a thousands" in caplog.text
    assert "feed.csv, line 3: '$1,000.00'" in caplog.text and "line 4" not in caplog.text


def test_a_number_that_is_missing_is_null(folder):
    (folder / "feed.csv").write_text("image,price,brand\nphotos/0.jpg,1.5,nan\nphotos/1.jpg,nan,Acme\n")
    feed = load_product_feed(folder / "feed.csv")
    assert feed["price"][:] == [1.5, None] and feed["brand"][:] == ["nan", "Acme"]


def test_a_url_is_no_path(folder):
    (folder / "feed.csv").write_text("image\nphotos/0.jpg\nhttps://shop.example/1.jpg\n")
    with pytest.raises(
        ValueError, match=r"line 3: 'https://shop\.example/1\.jpg' is a URL\. Photos are not downloaded"
    ):
        load_product_feed(folder / "feed.csv")


@pytest.mark.parametrize(("name", "wanted"), [("a.csv", True), ("a.CSV", True), ("a.json", True), ("a.txt", False)])
def test_a_feed_is_known_by_its_ending(folder, name, wanted):
    assert is_feed(folder / name) is wanted


def test_a_cell_that_fits_no_column_is_found_at_once_in_a_long_feed(tmp_path):
    rows = [json.dumps({"id": number, "image": "1.jpg", "price": number}) for number in range(20_000)]
    (tmp_path / "feed.jsonl").write_text("\n".join([*rows, json.dumps({"id": 1, "image": "1.jpg", "price": "x"})]))
    begin = time.monotonic()
    with pytest.raises(
        ValueError, match=r"feed\.jsonl, line 20001: column 'price' has 'x', which a table cannot hold"
    ):
        load_product_feeds({"train": [tmp_path / "feed.jsonl"]}, "image", require_files=False)
    assert time.monotonic() - begin < 10
