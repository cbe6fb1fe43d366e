"""Report on re-rankers: a table, a sentence, and which photos are shown before and after."""

import torch
from PIL import Image

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import RetrievalLists, draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.evaluation.reranking import evaluate_reranking
from hf_fashion.reports.reranking_report import (
    compare_reranking,
    photos_before_and_after,
    show_reranking,
    summarise_reranking,
)
from tests.evaluation.searches import keep, reverse
from tests.tiny_attribute import tiny_asen, tiny_image_processor


PHOTOS = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(6)]
EMBEDS = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4], [0, 1]]), dim=1)
VALUES = torch.tensor([0, 1, 1, 0, 0, 1])


def rows_of(html: str) -> list[str]:
    return html.split('<div class="row">')[1:]


def test_the_first_photos_are_shown_before_and_after():
    lists = RetrievalLists(torch.tensor([5, 0]), VALUES[[5, 0]], torch.arange(1, 5), VALUES[1:5])
    search = LabelledSearch(EMBEDS[[5, 0]], EMBEDS[1:5], VALUES[[5, 0]], VALUES[1:5])
    before, after = rows_of(photos_before_and_after(PHOTOS, lists, search, reverse, 4, queries=[1], k=3))
    assert "before" in before and "after" in after
    frames = [[part.split('"')[0] for part in row.split('<figure class="')[1:]] for row in (before, after)]
    assert frames == [["", "", "", "right"], ["", "right", "right", ""]]  # the query has no frame


def test_re_ranking_becomes_a_table_a_sentence_and_pictures():
    column_map = ColumnMap.shipped("generated")
    model = tiny_asen(attribute_names=list(column_map.attributes), attribute_values={})
    split = make_generated_corpus(train_rows=1, validation_rows=40, image_size=32)["validation"]
    protocol = draw_protocol(read_labels(split, column_map))
    searches = attribute_searches(model, tiny_image_processor(), split, column_map, [protocol], progress=False)
    metrics = {name: evaluate_reranking(searches, move, 6) for name, move in (("FR", reverse), ("none", keep))}

    ((title, (header, rows)),) = compare_reranking(metrics, 6).items()
    assert "first 6 results" in title and len(header) == 6
    assert [row[0] for row in rows] == ["FR", "none"]
    sentence = summarise_reranking(metrics["FR"])
    assert f"from a mean average precision of {100 * metrics['FR']['initial_map']:.1f} %" in sentence
    assert f"{100 * metrics['FR']['share_worse']:.1f} % worse" in sentence
    sections = dict(show_reranking(split["image"][:], protocol, searches, reverse, 6, range(2)))
    assert len(sections) == len(column_map.attributes)
    assert all(section.count("<img") == 2 * 2 * 7 for section in sections.values())
