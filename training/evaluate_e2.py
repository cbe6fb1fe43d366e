"""Evaluates an E2, or a CLIP beside it, on one split of a corpus: prints tables and writes JSON.

    python training/evaluate_e2.py --model runs/e2/best --corpus generated --split validation \\
        --tags --linear_probe --localisation --output results.json

`--rerankers` re-ranks what descriptions find among the photos.
"""

import argparse
from typing import Any

from transformers import AutoModel, AutoProcessor, PreTrainedModel, ProcessorMixin

import hf_fashion  # noqa: F401  registers the models with transformers' Auto classes
from hf_fashion.data.column_map import column_map_for
from hf_fashion.evaluation import report
from hf_fashion.evaluation.command_line import (
    DTYPES,
    add_evaluation_arguments,
    add_reranking_arguments,
    load_splits,
)
from hf_fashion.evaluation.cross_modal import PAIRINGS, PROTOCOLS, evaluate_cross_modal, text_to_image_search
from hf_fashion.evaluation.inputs import embed_images
from hf_fashion.evaluation.linear_probe import evaluate_linear_probe
from hf_fashion.evaluation.localisation import evaluate_localisation
from hf_fashion.evaluation.reranking import compare_rerankers
from hf_fashion.evaluation.tags import evaluate_tags
from hf_fashion.files import write_json


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_evaluation_arguments(parser)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="full")
    parser.add_argument("--pairing", choices=PAIRINGS, default="distinct_titles", help="what counts as a match")
    parser.add_argument("--group_column", help="sample100: column that the negatives share with the match")
    parser.add_argument("--seed", type=int, default=0, help="of the negatives of sample100")
    parser.add_argument("--tags", action="store_true", help="zero-shot tags and tag-to-image search")
    parser.add_argument("--linear_probe", action="store_true", help="logistic regression trained on the train split")
    parser.add_argument(
        "--localisation", action="store_true", help="selected patches against the column of true boxes"
    )
    return add_reranking_arguments(parser).parse_args(arguments)


def load_model(arguments: argparse.Namespace) -> tuple[PreTrainedModel, ProcessorMixin]:
    """The model on its device, and its processor."""
    model = AutoModel.from_pretrained(arguments.model, dtype=DTYPES[arguments.dtype])
    return model.to(arguments.device), AutoProcessor.from_pretrained(arguments.model)


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs what the command line asks for; the photos are embedded once."""
    column_map = column_map_for(arguments.column_map, arguments.corpus)
    dataset, train, checked = load_splits(arguments, column_map, with_train=arguments.linear_probe)
    model, processor = load_model(arguments)
    batch_size = arguments.batch_size
    images = embed_images(model, processor, dataset, column_map.image, batch_size)
    common = (model, processor, dataset, column_map)
    results = {name: getattr(arguments, name) for name in ("model", "corpus", "split", "dtype")}
    results["skipped_rows"] = len(checked.skipped.get(arguments.split, []))
    results["cross_modal"] = evaluate_cross_modal(
        *common,
        arguments.pairing,
        arguments.protocol,
        arguments.group_column,
        arguments.seed,
        image_embeds=images["image_embeds"],
    )
    if arguments.tags:
        results["tags"] = evaluate_tags(*common, images=images)
    if arguments.linear_probe:
        results["linear_probe"] = evaluate_linear_probe(
            model, processor, train, dataset, column_map, images=images, batch_size=batch_size
        )
    if arguments.localisation:
        results["localisation"] = evaluate_localisation(*common, images=images)
    if arguments.rerankers:
        search = text_to_image_search(*common, arguments.pairing, images["image_embeds"])
        results["reranking"] = compare_rerankers(
            arguments.rerankers, {"text_to_image": [search]}, arguments.num_candidates, arguments.device
        )
    return results | {"entities": list(column_map.tags)}


def print_tables(results: dict[str, Any]) -> None:
    """Prints every part that was measured."""
    cross_modal, entities = results["cross_modal"], results["entities"]
    print(
        f"\n{results['model']} on {results['corpus']} ({results['split']}): {cross_modal['num_images']} photos, "
        f"{cross_modal['num_texts']} texts, {cross_modal['protocol']}, {cross_modal['pairing']}\n"
    )
    print(report.recall_table(cross_modal))
    parts = {
        "tags": ("Tags, zero-shot, and photos by tag (%)", report.TAG_COLUMNS),
        "linear_probe": ("Linear probe (%)", report.PROBE_COLUMNS),
        "localisation": ("Selected patches and true boxes (%)", report.LOCALISATION_COLUMNS),
    }
    for name, (title, columns) in parts.items():
        if name in results:
            rows = results[name].get("rows", entities)
            print(f"\n{title}\n\n{report.entity_table(results[name], rows, columns)}")
    if "reranking" in results:
        table = report.reranking_table(results["reranking"])
        print(f"\nRe-ranking of the first photos, among all candidates (%)\n\n{table}")


def main(arguments: list[str] | None = None) -> None:
    """Evaluate, print, write."""
    parsed = parse_arguments(arguments)
    results = evaluate(parsed)
    print_tables(results)
    if parsed.output:
        write_json(results, parsed.output)


if __name__ == "__main__":
    main()
