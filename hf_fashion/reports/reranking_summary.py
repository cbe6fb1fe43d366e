"""Re-rankers over one attribute-specific model, for a report: figures, a table, a sentence, pictures."""

from collections.abc import Mapping, Sequence
from os import PathLike

from PIL import Image

from ..data.attributes.protocol import RetrievalLists
from ..evaluation.labelled_search import LabelledSearch
from ..evaluation.reranking import evaluate_reranking
from ..retrieval.rerankers.loading import BASELINES, load_reranker
from .report_page import paragraph
from .reranking_showcase import photos_before_and_after
from .tables import Cells, cell, reranking_cells


LEGEND = paragraph(
    "The first photos that one attribute finds, before FR and after. Green frame: the same value as the query."
)


class Reranking:
    """What FR does to a model's searches, and what simpler re-rankers do to the same.

    Args:
        photos (`Sequence[PIL.Image.Image]`): those that are searched.
        protocol (`dict[str, RetrievalLists]`): attribute -> which of them ask, and among which.
        searches (`dict[str, list[LabelledSearch]]`): of this protocol, from `attribute_searches`.
        feature_reasoning (`str` or `os.PathLike`): folder or Hub id of the FR.
    """

    def __init__(
        self,
        photos: Sequence[Image.Image],
        protocol: Mapping[str, RetrievalLists],
        searches: Mapping[str, Sequence[LabelledSearch]],
        feature_reasoning: str | PathLike,
    ):
        self.reranker = load_reranker(feature_reasoning)
        self.num_candidates = self.reranker.num_candidates
        self.photos, self.protocol, self.searches = photos, protocol, searches
        rerankers = {"FR": self.reranker} | {name: load_reranker(name) for name in BASELINES}
        self.figures = {
            name: evaluate_reranking(self.searches, reranker, self.num_candidates)
            for name, reranker in rerankers.items()
        }

    def compare(self) -> dict[str, Cells]:
        """Title -> table."""
        return {f"IPAD: its first {self.num_candidates} results re-ranked": reranking_cells(self.figures)}

    def summarise(self) -> str:
        """What one wants to know first, in a sentence."""
        figures = self.figures["FR"]
        return (
            f"FR re-ranks what IPAD finds from a mean average precision of {cell(figures['initial_map'])} % to "
            f"{cell(figures['map'])} %: {cell(figures['share_better'])} % of the queries get better, "
            f"{cell(figures['share_worse'])} % worse."
        )

    def show(self, queries: Sequence[int]) -> list[tuple[str, str]]:
        """The report's sections with pictures: heading, HTML.

        Args:
            queries (`Sequence[int]`): which queries of each attribute.
        """
        return [
            (
                f"Re-ranking of photos with the same {name}",
                LEGEND
                + photos_before_and_after(
                    self.photos, self.protocol[name], parts[0], self.reranker, self.num_candidates, queries
                ),
            )
            for name, parts in self.searches.items()
        ]
