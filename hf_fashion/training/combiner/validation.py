"""Validation of a combiner: recall of queries of a photo and a change."""

from collections.abc import Mapping
from typing import Any

from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...embedding.changes.combiners import TrainedCombiner
from ...evaluation.changes.catalogue_changes import ask, catalogue_queries, measure_changes
from ...evaluation.changes.searchers import changer_for, searchers_for
from ...models.combiner.modeling_combiner import CombinerModel


PRIMARY_METRIC = "combiner_recall"
PRINTED = (PRIMARY_METRIC, "start_recall")


class CombinerValidation:
    """Measures a combiner, and the queries that it moves, on the changes of a split's tags.

    Args:
        embedder (`PreTrainedModel`): the embedding model.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the column of each entity's tag.
        embeds (`Mapping[str, torch.Tensor]`): space -> embeddings of the photos, (N, d).
        combiner (`CombinerModel`): the model that is trained.

    Raises:
        ValueError: the map names fewer than two tags, or no product differs from another in one tag.
    """

    def __init__(
        self,
        embedder: PreTrainedModel,
        processor: ProcessorMixin,
        dataset: Dataset,
        column_map: ColumnMap,
        embeds: Mapping[str, Tensor],
        combiner: CombinerModel,
    ):
        self.queries = catalogue_queries(dataset, column_map)
        self.gallery = {space: embeds[space] for space in combiner.config.spaces}
        trained = TrainedCombiner(combiner)
        changer = changer_for(embedder, processor, self.queries.tags, list(self.gallery), trained)
        self.asked = ask(self.queries, changer, embeds)
        ways = searchers_for(changer)
        self.combined = {"combiner": ways["combiner"]}
        start = {"start": ways.get("regions", ways["arithmetic"])}
        self.start_recall = measure_changes(self.queries, self.asked, start, self.gallery)["start_recall"]

    def __call__(self, model: CombinerModel) -> dict[str, Any]:
        """Return the metrics of the model, which is the one that validation was made for.

        Args:
            model (`CombinerModel`): the model.
        """
        results = measure_changes(self.queries, self.asked, self.combined, self.gallery)
        numbers = {name: value for name, value in results.items() if name not in ("entities", "rows")}
        return numbers | {"start_recall": self.start_recall}
