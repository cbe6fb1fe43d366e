"""Report on re-rankers over one attribute-specific model: a table, a sentence, and photos before and after."""

from collections.abc import Mapping, Sequence

from PIL import Image
from torch import Tensor

from ..data.attributes.protocol import RetrievalLists
from ..evaluation.labelled_search import LabelledSearch
from ..evaluation.reranking import reranked_places
from ..retrieval.rerankers.reranking import Reranker
from .report_page import paragraph, picture, picture_row
from .tables import Cells, cell, reranking_cells


LEGEND = paragraph(
    "The first photos found by one attribute, before FR and after. Green frame: the same value as the query."
)


def compare_reranking(metrics: Mapping[str, Mapping[str, float]], num_candidates: int) -> dict[str, Cells]:
    """Return the table of the re-rankers, title -> header and rows.

    Args:
        metrics (`Mapping[str, Mapping[str, float]]`): re-ranker -> from `evaluate_reranking`.
        num_candidates (`int`): how many candidates were re-ranked.
    """
    return {f"IPAD: its first {num_candidates} results re-ranked": reranking_cells(metrics)}


def summarise_reranking(metrics: Mapping[str, float]) -> str:
    """Return the main results of an FR in a sentence.

    Args:
        metrics (`Mapping[str, float]`): from `evaluate_reranking`.
    """
    return (
        f"FR re-ranks what IPAD finds from a mean average precision of {cell(metrics['initial_map'])} % to "
        f"{cell(metrics['map'])} %: {cell(metrics['share_better'])} % of the queries get better, "
        f"{cell(metrics['share_worse'])} % worse."
    )


def show_reranking(
    photos: Sequence[Image.Image],
    protocol: Mapping[str, RetrievalLists],
    searches: Mapping[str, Sequence[LabelledSearch]],
    reranker: Reranker,
    num_candidates: int,
    queries: Sequence[int],
) -> list[tuple[str, str]]:
    """Return the report's sections with photos before and after re-ranking: heading and HTML.

    Args:
        photos (`Sequence[PIL.Image.Image]`): of all rows of the split.
        protocol (`Mapping[str, RetrievalLists]`): attribute -> rows of its queries and candidates.
        searches (`Mapping[str, Sequence[LabelledSearch]]`): of this protocol, from `attribute_searches`.
        reranker (`Reranker`): moves the first candidates.
        num_candidates (`int`): how many candidates it gets.
        queries (`Sequence[int]`): which queries of each attribute.
    """
    return [
        (
            f"Re-ranking of photos with the same {name}",
            LEGEND + photos_before_and_after(photos, protocol[name], parts[0], reranker, num_candidates, queries),
        )
        for name, parts in searches.items()
    ]


def photos_before_and_after(
    photos: Sequence[Image.Image],
    lists: RetrievalLists,
    search: LabelledSearch,
    reranker: Reranker,
    num_candidates: int,
    queries: Sequence[int],
    k: int = 6,
) -> str:
    """Return HTML of queries with their k first photos, and below them those after re-ranking; right is green.

    This is fig. 8 of the IPAD paper.

    Args:
        photos (`Sequence[PIL.Image.Image]`): of all rows of the split.
        lists (`RetrievalLists`): rows of queries and candidates of one attribute.
        search (`LabelledSearch`): their embeddings.
        reranker (`Reranker`): moves the first candidates.
        num_candidates (`int`): how many candidates it gets.
        queries (`Sequence[int]`): which of the search's queries.
        k (`int`, *optional*, defaults to 6): photos of a query.
    """
    asked = search.of(queries)
    (ranked,) = asked.rankings(len(asked))
    after = reranked_places(asked, ranked, reranker, num_candidates)
    lines = []
    for number, query in enumerate(queries):
        photo = picture(photos[lists.query_rows[query]], "query", "query")
        for title, places in (("before", ranked.places[number, :k]), ("after", after[number, :k])):
            lines.append(picture_row(title, [photo, *_found(photos, lists, asked, number, places)]))
    return "\n".join(lines)


def _found(
    photos: Sequence[Image.Image], lists: RetrievalLists, search: LabelledSearch, query: int, places: Tensor
) -> list[str]:
    right = search.relevant(query, places).tolist()
    rows = lists.candidate_rows[places].tolist()
    return [
        picture(photos[row], "right" if hit else "another value", "", "right" if hit else "")
        for row, hit in zip(rows, right, strict=True)
    ]
