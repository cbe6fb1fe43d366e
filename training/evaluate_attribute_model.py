"""Evaluates an attribute-specific model on one split of a corpus: prints tables and writes JSON.

    python training/evaluate_attribute_model.py --model runs/attributes/asen_quickstart/best --corpus generated \\
        --pointing --output results.json

    python training/evaluate_attribute_model.py --model runs/ipad/best --corpus CORPUS \\
        --rerankers runs/feature_reasoning/best query_expansion k_reciprocal --output results.json

The split is divided into queries and candidates by `--seed`, or as published lists say.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from datasets import Dataset
from transformers import AutoModel
from transformers.models.auto.image_processing_auto import AutoImageProcessor

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.data.attribute_labels import read_labels
from hf_fashion.data.attribute_protocol import RetrievalLists, draw_protocol, read_protocol
from hf_fashion.data.attribute_vocabulary import build_vocabulary
from hf_fashion.data.column_map import ColumnMap, column_map_for
from hf_fashion.evaluation import report
from hf_fashion.evaluation.attribute_pointing import evaluate_pointing
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_figures
from hf_fashion.evaluation.command_line import (
    DTYPES,
    add_evaluation_arguments,
    add_reranking_arguments,
    load_splits,
)
from hf_fashion.evaluation.reranking import compare_rerankers
from hf_fashion.files import write_json
from hf_fashion.training.start import with_attributes


NUM_FOLDS = 5  # queries to candidates 1:4, as in the papers


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_evaluation_arguments(parser)
    parser.add_argument("--attributes", nargs="+", help="those of the column map to search by; default: the model's")
    parser.add_argument("--seed", type=int, default=0, help="of the division into queries and candidates")
    parser.add_argument("--all_folds", action="store_true", help="every image asks once, for steadier figures")
    parser.add_argument("--queries", help="published lists of queries, query_<split>.txt")
    parser.add_argument("--candidates", help="published lists of candidates, candidate_<split>.txt")
    parser.add_argument("--pointing", action="store_true", help="attention maps against the column of true boxes")
    add_reranking_arguments(parser)
    parsed = parser.parse_args(arguments)
    if bool(parsed.queries) != bool(parsed.candidates):
        parser.error("--queries and --candidates go together")
    return parsed


def make_protocols(
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
    folds = range(NUM_FOLDS if arguments.all_folds else 1)
    return [draw_protocol(labels, arguments.seed, fold, NUM_FOLDS - 1) for fold in folds]


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs what the command line asks for."""
    column_map = column_map_for(arguments.column_map, arguments.corpus)
    dataset, _, checked = load_splits(arguments, column_map)
    model = AutoModel.from_pretrained(arguments.model, dtype=DTYPES[arguments.dtype]).to(arguments.device)
    processor = AutoImageProcessor.from_pretrained(arguments.model)
    attributes = arguments.attributes or [
        name for name in model.config.attribute_names if name in column_map.attributes
    ]
    protocols = make_protocols(arguments, dataset, column_map, attributes)
    column_map = with_attributes(column_map, attributes)
    searches = attribute_searches(model, processor, dataset, column_map, protocols, arguments.batch_size)
    results = {name: getattr(arguments, name) for name in ("model", "corpus", "split", "dtype", "seed")}
    results |= {"attributes": attributes, "skipped_rows": len(checked.skipped.get(arguments.split, []))}
    results["retrieval"] = retrieval_figures(searches)
    if arguments.pointing:
        results["pointing"] = evaluate_pointing(model, processor, dataset, column_map, batch_size=arguments.batch_size)
    if arguments.rerankers:
        results["reranking"] = compare_rerankers(
            arguments.rerankers, searches, arguments.num_candidates, arguments.device
        )
    return results


def print_tables(results: dict[str, Any]) -> None:
    """Prints every part that was measured."""
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


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    parsed = parse_arguments(arguments)
    results = evaluate(parsed)
    print_tables(results)
    if parsed.output:
        write_json(results, parsed.output)


if __name__ == "__main__":
    main()
