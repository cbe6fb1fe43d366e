"""All that is wrong with a catalogue is found in one pass, before a model is loaded, and named by row."""

import pytest
from datasets import Dataset, IterableDataset

from hf_fashion.retrieval.ingestion.check_catalogue import check_catalogue
from hf_fashion.retrieval.ingestion.load_catalogue import load_catalogue
from hf_fashion.retrieval.ingestion.processes import Processes
from tests.data.corpora import jpeg, products


BAD = (3, 5, 8)


@pytest.fixture
def feed(tmp_path):
    """Ten products, the photos of three of which are cut off, something else, and not there."""
    contents = {3: jpeg(3)[:300], 5: b"no photo"}
    for number in range(10):
        if number != 8:
            (tmp_path / f"{number}.jpg").write_bytes(contents.get(number, jpeg(number)))
    (tmp_path / "feed.csv").write_text("sku,image\n" + "".join(f"00{n},{n}.jpg\n" for n in range(10)))
    return tmp_path / "feed.csv"


class Half(Processes):
    """One of two processes, with what the other one has found."""

    def __init__(self, index: int, other: list):
        super().__init__()
        self.number, self.index, self.other = 2, index, other

    def exchange(self, mine):
        if mine is None:  # no error to tell
            return [None, None]
        self.mine = mine
        return [mine, self.other]


def loaded(feed) -> dict:
    return load_catalogue(feed, id_column="sku", require_files=False)


def test_all_bad_photos_are_named(feed):
    with pytest.raises(ValueError) as error:
        check_catalogue(loaded(feed))
    lines = str(error.value).splitlines()
    assert (
        lines[0]
        == "3 of 10 photos cannot be read. Repair them, or skip them with on_bad_image=skip (--on_bad_image skip):"
    )
    assert lines[1].startswith(f"    feed.csv, line 5 (id '003', {feed.parent / '3.jpg'}): ")
    assert "truncated" in lines[1].lower()
    assert lines[2:] == [
        f"    feed.csv, line 7 (id '005', {feed.parent / '5.jpg'}): the file is no photo that "
        "can be opened: it begins with b'no photo';",
        f"    feed.csv, line 10 (id '008', {feed.parent / '8.jpg'}): there is no such file",
    ]


def test_bad_photos_are_skipped_and_logged(feed, caplog):
    catalogue = check_catalogue(loaded(feed), "skip")
    assert catalogue["dataset"]["sku"][:] == [f"00{n}" for n in range(10) if n not in BAD]
    assert "3 of 10 photos cannot be read; they are skipped:\n    feed.csv, line 5" in caplog.text


def test_ids_are_named_with_the_photos(feed):
    feed.write_text(feed.read_text() + "000,1.jpg\n,1.jpg\n")
    with pytest.raises(ValueError) as error:
        check_catalogue(loaded(feed))
    heads = [line for line in str(error.value).splitlines() if not line.startswith(" ")]
    assert heads[:2] == [
        "the catalogue cannot be embedded as it is:",
        "- `id_column`: column 'sku' is empty in 1 of the rows; every product needs an id:",
    ]
    assert "1 of column 'sku' come more than once. Photos of one product" in heads[2] and heads[3].startswith(
        "- 3 of 12 photos"
    )
    assert "\n    feed.csv, line 13 (" in str(error.value) and "\n    '000': feed.csv, line 2 (" in str(error.value)
    feed.write_text(feed.read_text().replace("\n,1", "\n009,1"))
    with pytest.raises(ValueError) as error:
        check_catalogue(loaded(feed), "skip")
    assert str(error.value).splitlines() == [
        "`id_column`: ids must differ; 2 of column 'sku' come more than once. Photos of one product are a list in one "
        "row, or rows with ids of their own, which a search joins with `group_by`:",
        f"    '000': feed.csv, line 2 ({feed.parent / '0.jpg'}), feed.csv, line 12 ({feed.parent / '1.jpg'});",
        f"    '009': feed.csv, line 11 ({feed.parent / '9.jpg'}), feed.csv, line 13 ({feed.parent / '1.jpg'})",
    ]


def test_processes_share_the_photos(feed):
    first = Half(0, [])
    check_catalogue(loaded(feed), "skip", first)
    second = Half(1, first.mine)
    catalogue = check_catalogue(loaded(feed), "skip", second)
    assert [[image.row for image in half.mine] for half in (first, second)] == [[8], [3, 5]]
    assert len(catalogue["dataset"]) == 7


def test_missing_and_repeated_ids_are_findings_of_their_own(feed):
    feed.write_text("sku,image\n,0.jpg\n5,0.jpg\n5,0.jpg\n")
    with pytest.raises(ValueError) as error:
        check_catalogue(loaded(feed))
    findings = [line for line in str(error.value).splitlines() if line.startswith("- ")]
    assert [finding[:24] for finding in findings[:2]] == ["- `id_column`: column 's", "- `id_column`: ids must "]


def test_a_catalogue_without_any_photo_is_an_error_even_then(feed):
    feed.write_text("sku,image\n005,5.jpg\n")
    for choice in ("skip", None):
        with pytest.raises(ValueError, match=r"1 of 1 photos cannot be read\. Repair them:\n    feed\.csv, line 2"):
            check_catalogue(loaded(feed), choice)


@pytest.mark.parametrize("column", ["id_column", "image_column", "metadata_columns"])
def test_columns_come_first(feed, column):
    wrong = {column: ["price"] if column == "metadata_columns" else "price"}
    with pytest.raises(ValueError, match=rf"`{column}`: the dataset has no column 'price', it has \['image', 'sku'\]"):
        check_catalogue(loaded(feed) | wrong)


def test_only_the_first_view_of_a_product_counts():
    cells = [[{"bytes": jpeg(0), "path": None}, {"bytes": b"no photo", "path": None}]]
    catalogue = {"dataset": Dataset.from_dict({"id": ["a"], "image": cells}), "metadata_columns": []}
    assert len(check_catalogue(catalogue | {"id_column": "id", "image_column": "image"})["dataset"]) == 1


def test_a_streaming_dataset_gets_a_sentence():
    stream = IterableDataset.from_generator(lambda: iter([{"id": "a"}]))
    catalogue = {"dataset": stream, "id_column": "id", "image_column": "image", "metadata_columns": []}
    with pytest.raises(ValueError, match=r"is a streaming dataset, .*: load it without `streaming=True`"):
        check_catalogue(catalogue)


def test_a_clean_catalogue_stays_as_it_is():
    catalogue = {"dataset": products(4), "id_column": "id", "image_column": "image", "metadata_columns": []}
    assert check_catalogue(catalogue)["dataset"] is catalogue["dataset"]
