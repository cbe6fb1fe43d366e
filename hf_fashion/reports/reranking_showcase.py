"""Examples of re-ranking for a report: the first photos before and after, as in fig. 8 of the IPAD paper."""

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from ..data.attributes.protocol import RetrievalLists
from ..evaluation.labelled_search import LabelledSearch
from ..evaluation.reranking import reranked_places
from ..retrieval.rerankers.reranking import Reranker
from .report_page import figure, picture_row


def photos_before_and_after(
    photos: Sequence[Image.Image],
    lists: RetrievalLists,
    search: LabelledSearch,
    reranker: Reranker,
    num_candidates: int,
    queries: Sequence[int],
    k: int = 6,
) -> str:
    """HTML: some queries, beside each the k first photos, and below them those after re-ranking; right is green.

    Args:
        photos: N pictures, of all rows of the split.
        lists: rows of queries and candidates of one attribute.
        search: their embeddings.
        reranker: moves the first candidates.
        num_candidates: how many of them.
        queries: which of the search's queries.
        k: photos shown.
    """
    asked = search.of(queries)
    (ranked,) = asked.rankings(len(asked))
    after = reranked_places(asked, ranked, reranker, num_candidates)
    lines = []
    for number, query in enumerate(queries):
        photo = figure(photos[lists.query_rows[query]], "query", "query")
        for title, places in (("before", ranked.places[number, :k]), ("after", after[number, :k])):
            lines.append(picture_row(title, [photo, *_found(photos, lists, asked, number, places)]))
    return "\n".join(lines)


def _found(
    photos: Sequence[Image.Image], lists: RetrievalLists, search: LabelledSearch, query: int, places: Tensor
) -> list[str]:
    right = search.relevant(query, places).tolist()
    rows = lists.candidate_rows[places].tolist()
    return [
        figure(photos[row], "right" if hit else "another value", "", "right" if hit else "")
        for row, hit in zip(rows, right, strict=True)
    ]
