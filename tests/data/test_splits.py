import pytest
from datasets import Dataset, DatasetDict

from hf_fashion.data.checks import check_corpus
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.splits import product_position, split_by_product, split_without_leaks, train_and_validation
from tests.data.corpora import jpeg


COLUMN_MAP = ColumnMap(product_id="sku", product_pattern=r"^[^-]+")


def photos(products: int, views: int = 3) -> Dataset:
    return Dataset.from_dict({"sku": [f"{product}-{view}" for product in range(products) for view in range(views)]})


def products_of(dataset: Dataset) -> set[str]:
    return {value.split("-")[0] for value in dataset["sku"]}


def test_no_product_crosses_and_no_row_is_lost():
    splits = split_by_product(photos(200), COLUMN_MAP, validation_fraction=0.25, seed=3)
    assert not products_of(splits["train"]) & products_of(splits["validation"])
    assert len(splits["train"]) + len(splits["validation"]) == 600
    assert 0.15 < len(products_of(splits["validation"])) / 200 < 0.35


def test_the_side_of_a_product_depends_on_nothing_but_id_and_seed():
    few, many = (split_by_product(photos(count), COLUMN_MAP, 0.25)["validation"] for count in (50, 200))
    assert products_of(few) == {product for product in products_of(many) if int(product) < 50}
    assert products_of(split_by_product(photos(200), COLUMN_MAP, 0.25, seed=1)["validation"]) != products_of(many)
    # Pinned: another hash would silently move products of every published split.
    assert product_position("p1", 0) == pytest.approx(POSITION_OF_P1)


POSITION_OF_P1 = 0.7421356834026084


def test_null_ids_are_named_by_row():
    dataset = Dataset.from_dict({"sku": ["a", None, "c"]})
    with pytest.raises(ValueError, match=r"'sku' \(product_id\) is empty in 1 of the rows:\n    row 1"):
        split_by_product(dataset, ColumnMap(product_id="sku"))


@pytest.mark.parametrize("column_map", [ColumnMap(), ColumnMap(product_id="id")])
def test_a_map_without_ids_says_which_columns_there_are(column_map):
    with pytest.raises(ValueError, match=r"`product_id` .* one of sku"):
        split_by_product(photos(3), column_map)


def test_a_split_must_not_be_empty():
    with pytest.raises(ValueError, match="leave a split empty"):
        split_by_product(photos(1), COLUMN_MAP)
    with pytest.raises(ValueError, match="between 0 and 1, got 1"):
        split_by_product(photos(5), COLUMN_MAP, validation_fraction=1)


def test_existing_splits_are_kept_and_a_single_one_is_split():
    corpus = DatasetDict(train=photos(4), val=photos(2), test=photos(1))
    kept = train_and_validation(corpus, COLUMN_MAP)
    assert (len(kept["train"]), len(kept["validation"])) == (12, 6)
    assert len(train_and_validation(corpus, COLUMN_MAP, validation_split="test")["validation"]) == 3
    split = train_and_validation(DatasetDict(data=photos(40)), COLUMN_MAP, validation_fraction=0.5)
    assert len(split["train"]) + len(split["validation"]) == 120


def test_unknown_splits_are_named():
    corpus = DatasetDict(query=photos(4), gallery=photos(2))
    with pytest.raises(ValueError, match="no split 'train'; name one of: query, gallery"):
        train_and_validation(corpus, COLUMN_MAP)
    with pytest.raises(ValueError, match="no split 'dev'; it has: query, gallery"):
        train_and_validation(corpus, COLUMN_MAP, train_split="gallery", validation_split="dev")


def test_only_products_decide_where_titles_do_not_matter():
    dataset = catalogue([f"dress {number % 50}" for number in range(400)])
    splits = split_by_product(dataset, ColumnMap(product_id="sku", caption="title"), 0.2)
    assert set(splits["validation"]["sku"]) == {sku for sku in dataset["sku"] if product_position(sku, 0) < 0.2}


def catalogue(titles: list[str]) -> Dataset:
    return Dataset.from_dict({"sku": [f"{number:03d}" for number in range(len(titles))], "title": titles})


def test_products_with_a_common_title_are_on_one_side():
    """400 products of which two share a title, as an ordinary feed has them, and a hundred more pairs."""
    column_map = ColumnMap(product_id="sku", caption="title")
    dataset = catalogue([f"dress {number % 300}" for number in range(400)])
    for seed in range(5):
        splits = split_without_leaks(dataset, column_map, 0.2, seed)
        train, validation = (set(splits[name]["title"]) for name in ("train", "validation"))
        assert not train & validation and len(splits["train"]) + len(splits["validation"]) == 400
        assert 0.1 < len(splits["validation"]) / 400 < 0.3
        alone = [sku for sku in dataset["sku"] if 100 <= int(sku) < 300]
        expected = {sku for sku in alone if product_position(sku, seed) < 0.2}
        assert {sku for sku in splits["validation"]["sku"] if sku in alone} == expected


def test_a_title_of_many_products_stays_in_train(caplog):
    dataset = catalogue(["dress"] * 120 + [f"dress {number}" for number in range(280)])
    for seed in range(20):
        splits = split_without_leaks(dataset, ColumnMap(product_id="sku", caption="title"), 0.2, seed)
        assert "dress" not in splits["validation"]["title"] and 30 < len(splits["validation"]) < 85
    assert "120 rows share titles or photos with product '000'" in caplog.text


def test_rows_without_an_id_are_named_as_their_source_does():
    dataset = Dataset.from_dict({"sku": ["a", None], "source_row": ["feed.csv, line 2", "feed.csv, line 3"]})
    with pytest.raises(ValueError, match=r"is empty in 1 of the rows:\n    feed\.csv, line 3$"):
        split_by_product(dataset, ColumnMap(product_id="sku"))


def test_an_ordinary_feed_splits_without_leaks(tmp_path):
    """400 products, of which two share a title and two others a photo."""
    lines = ["sku,image,title"]
    for number in range(400):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(7 if number == 399 else number, size=(4, 4)))
        lines.append(f"{number:03d},{number}.jpg,dress {5 if number == 398 else number}")
    (tmp_path / "feed.csv").write_text("\n".join(lines))
    column_map = ColumnMap(product_id="sku", caption="title")
    for seed in range(10):  # with some of them each of the two pairs would be divided
        splits = train_and_validation(load_corpus(tmp_path / "feed.csv"), column_map, seed=seed)
        _, report = check_corpus(splits, column_map)
        assert report.leaks == [] and sum(report.rows.values()) == 400
