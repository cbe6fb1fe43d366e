"""Photos before and after re-ranking: which are shown, in which order, and with which frame."""

import torch
from PIL import Image

from hf_fashion.data.attributes.protocol import RetrievalLists
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.reports.reranking_showcase import photos_before_and_after
from tests.evaluation.searches import reverse


PHOTOS = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(6)]
EMBEDS = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4], [0, 1]]), dim=1)
VALUES = torch.tensor([0, 1, 1, 0, 0, 1])


def rows_of(html: str) -> list[str]:
    return html.split('<div class="row">')[1:]


def test_the_first_photos_stand_before_and_after():
    lists = RetrievalLists(torch.tensor([5, 0]), VALUES[[5, 0]], torch.arange(1, 5), VALUES[1:5])
    search = LabelledSearch(EMBEDS[[5, 0]], EMBEDS[1:5], VALUES[[5, 0]], VALUES[1:5])
    before, after = rows_of(photos_before_and_after(PHOTOS, lists, search, reverse, 4, queries=[1], k=3))
    assert "before" in before and "after" in after
    frames = [[part.split('"')[0] for part in row.split('<figure class="')[1:]] for row in (before, after)]
    assert frames == [["", "", "", "right"], ["", "right", "right", ""]]  # the query has no frame
