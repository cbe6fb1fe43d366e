"""Tasks of mteb are made of the rows that `hf-fashion evaluate` compares."""

import pytest
from datasets import Dataset, Image

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.hub.mteb_tasks import attribute_tasks, cross_modal_tasks
from tests.tiny_e2 import tiny_images


def test_titles_that_are_shared_have_several_photos(corpus, column_map):
    rows = corpus["validation"].select([0, 1, 0, 2])
    t2i, i2t = cross_modal_tasks(rows, column_map, "shop", "same_title")
    data = t2i.rows
    assert (t2i.metadata.name, t2i.metadata.category, t2i.metadata.modalities) == (
        "shop_t2i",
        "t2i",
        ["image", "text"],
    )
    assert data["queries"]["id"] == ["text 0", "text 1", "text 3"] and len(data["corpus"]) == 4
    assert data["relevant_docs"]["text 0"] == {"photo 0": 1, "photo 2": 1}
    assert i2t.rows["relevant_docs"]["photo 2"] == {"text 0": 1}
    assert data["queries"]["text"] == [rows[place][column_map.caption] for place in (0, 1, 3)]


def test_the_revision_is_of_the_rows(corpus, column_map):
    def revisions(rows) -> list[str]:
        return [task.metadata.revision for task in cross_modal_tasks(rows, column_map, "shop")]

    rows = corpus["validation"].select(range(4))
    assert revisions(rows) == revisions(rows) != revisions(corpus["validation"].select(range(1, 5)))


def test_queries_and_candidates_of_an_attribute_are_the_drawn_ones():
    hems = [["a", "b"], ["a"], ["b"], ["a"], ["b"], ["a", "b"], ["a"], ["b"], ["a"], ["b"]]
    rows = Dataset.from_dict({"image": tiny_images(10), "hem": hems}).cast_column("image", Image())
    column_map = ColumnMap(attributes={"hem": "hem"})
    (task,) = attribute_tasks(rows, column_map, "shop", seed=3)
    lists = draw_protocol(read_labels(rows, column_map), 3)["hem"]
    assert task.metadata.prompt == "hem" and task.k_values == (1, 5, len(lists.candidate_rows))
    assert len(task.rows["queries"]) == len(lists.query_rows)
    for place, value in enumerate(lists.query_values):
        expected = lists.candidate_values[:, value].nonzero().flatten().tolist()
        assert task.rows["relevant_docs"][f"query {place}"] == {f"photo {row}": 1 for row in expected}
    first = rows[int(lists.candidate_rows[0])]["image"]
    assert task.rows["corpus"][0]["image"].tobytes() == first.tobytes()


def test_errors_name_the_argument(corpus, column_map):
    with pytest.raises(ValueError, match="`pairing` must be one of"):
        cross_modal_tasks(corpus["validation"], column_map, "shop", "titles")
    with pytest.raises(ValueError, match="hem"):
        attribute_tasks(corpus["validation"], column_map, "shop", ["hem"])
