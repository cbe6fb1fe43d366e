"""Everything that is measured of an attribute-specific model on one split of a corpus."""

import argparse
from collections.abc import Mapping
from typing import Any

from datasets import Dataset
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from ..data.attributes.labels import read_labels
from ..data.attributes.protocol import RetrievalLists, draw_folds, draw_protocol, read_protocol
from ..data.attributes.vocabulary import build_vocabulary, with_attributes
from ..data.column_map import ColumnMap, column_map_for
from ..reports import tables as report
from .attribute_pointing import evaluate_pointing
from .attribute_retrieval import attribute_searches, retrieval_figures
from .command_line import device_of
from .reranking import compare_rerankers
from .splits import load_splits


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures what the command line asks for.

    Args:
        arguments (`argparse.Namespace`): of `add_evaluation_arguments` and `add_attribute_arguments`.

    Raises:
        ValueError: the corpus, its column map, the split or published lists cannot be used for it.
    """
    if bool(arguments.queries) != bool(arguments.candidates):
        raise ValueError("--queries and --candidates go together")
    column_map = column_map_for(arguments.column_map, arguments.corpus)
    dataset, _, checked = load_splits(arguments, column_map)
    model = AutoModel.from_pretrained(arguments.model, dtype=arguments.dtype).to(device_of(arguments))
    processor = AutoImageProcessor.from_pretrained(arguments.model)
    attributes = arguments.attributes or [
        name for name in model.config.attribute_names if name in column_map.attributes
    ]
    protocols = _make_protocols(arguments, dataset, column_map, attributes)
    column_map = with_attributes(column_map, attributes)
    searches = attribute_searches(model, processor, dataset, column_map, protocols, arguments.batch_size)
    results = {name: getattr(arguments, name) for name in ("model", "corpus", "split", "dtype", "seed")}
    results |= {"attributes": attributes, "skipped_rows": len(checked.skipped.get(arguments.split, []))}
    results["retrieval"] = retrieval_figures(searches)
    if arguments.pointing:
        results["pointing"] = evaluate_pointing(model, processor, dataset, column_map, batch_size=arguments.batch_size)
    if arguments.rerankers:
        results["reranking"] = compare_rerankers(arguments.rerankers, searches, arguments.num_candidates, model.device)
    return results


def print_tables(results: dict[str, Any]) -> None:
    """Prints every part that was measured.

    Args:
        results (`dict`): of `evaluate`.
    """
    retrieval = results["retrieval"]
    print(f"\n{results['model']} on {results['corpus']} ({results['split']}): search by attribute (%)\n")
    print(report.attribute_table(retrieval, results["attributes"]))
    if retrieval["num_without_match"]:
        print(f"\n{retrieval['num_without_match']} queries without a right candidate count as 0.")
    if "pointing" in results:
        table = report.entity_table(results["pointing"], results["attributes"], report.POINTING_COLUMNS)
        print(f"\nPeak of the attention and true boxes (%)\n\n{table}")
    if "reranking" in results:
        print(f"\nRe-ranking of the first candidates (%)\n\n{report.reranking_table(results['reranking'])}")


def _make_protocols(
    arguments: argparse.Namespace, dataset: Dataset, column_map: ColumnMap, attributes: list[str]
) -> list[Mapping[str, RetrievalLists]]:
    """Queries and candidates of the attributes, as the command line asks for them.

    Raises:
        ValueError: if labels or lists do not fit, or the column map lacks an attribute.
    """
    if arguments.queries:
        # The files count the attributes of the whole map.
        vocabulary = build_vocabulary(dataset, column_map)
        lists = read_protocol(arguments.queries, arguments.candidates, vocabulary, len(dataset))
        return [{name: lists[name] for name in attributes if name in lists}]
    labels = read_labels(dataset, with_attributes(column_map, attributes))
    return draw_folds(labels, arguments.seed) if arguments.all_folds else [draw_protocol(labels, arguments.seed)]
