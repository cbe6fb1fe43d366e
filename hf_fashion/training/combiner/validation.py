"""Validation of a combiner: recall of queries of a photo and a change."""

from collections.abc import Mapping, Sequence

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...embedding.changes.combiners import TrainedCombiner
from ...embedding.changes.photo_changes import PhotoChanger
from ...evaluation.changes.catalogue_changes import ask, catalogue_queries, change_metrics, mean_recall
from ...evaluation.changes.searchers import AskedChange, changer_for
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
        combiner (`CombinerModel`): of the kind that is trained, for its spaces.

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
        spaces = combiner.config.spaces
        self.gallery = torch.stack([embeds[space] for space in spaces], dim=1)  # (N, S, d)
        changer = changer_for(embedder, processor, self.queries.tags, spaces)
        self.inputs = {
            entity: _inputs(asked, changer, spaces) for entity, asked in ask(self.queries, changer, embeds).items()
        }
        starts = {entity: starts for entity, (_, _, starts) in self.inputs.items()}
        self.start_recall = self._metrics(starts)[PRIMARY_METRIC]

    def __call__(self, model: CombinerModel) -> dict[str, float]:
        """Return the metrics of a model.

        Args:
            model (`CombinerModel`): the model.
        """
        combiner = TrainedCombiner(model)
        moved = {entity: combiner(*inputs) for entity, inputs in self.inputs.items()}
        return self._metrics(moved) | {"start_recall": self.start_recall}

    def _metrics(self, queries: Mapping[str, Tensor]) -> dict[str, float]:
        """Of queries (Q, S, d) of each entity, whose lengths are the weights of their spaces."""
        results: dict[str, float] = {}
        for entity, vectors in queries.items():
            scores = vectors.flatten(1) @ self.gallery.flatten(1).mT  # (Q, N)
            metrics = change_metrics(scores, self.queries.triples[entity], self.queries.tags, entity)
            results |= {f"{entity}_combiner_{name}": value for name, value in metrics.items()}
        return results | {PRIMARY_METRIC: mean_recall(results, list(queries), "combiner")}


def _inputs(asked: Sequence[AskedChange], changer: PhotoChanger, spaces: Sequence[str]) -> tuple[Tensor, ...]:
    """Photos (Q, S, d), words (Q, d) and the queries of arithmetic (Q, S, d)."""
    photos = [torch.stack([one.photo[space] for space in spaces]) for one in asked]
    words = [changer.embed_text(one.words) for one in asked]
    starts = [changer.query(one.photo, one.words, one.named).scaled(spaces) for one in asked]
    return torch.stack(photos), torch.stack(words), torch.stack(starts)
