"""Everything that is measured of an E2, or of a CLIP beside it, on one split of a corpus."""

import argparse
from typing import Any

from transformers import AutoModel, AutoProcessor, PreTrainedModel, ProcessorMixin

from ..data.column_map import column_map_for
from ..embedding.corpus import embed_images
from ..reports import tables as report
from .command_line import device_of
from .cross_modal import check_protocol, cross_modal_figures
from .cross_modal_candidates import embed_candidates
from .linear_probe import evaluate_linear_probe
from .localisation import evaluate_localisation
from .reranking import compare_rerankers
from .splits import load_splits
from .tags import evaluate_tags


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures what the command line asks for; photos and descriptions are embedded once.

    Args:
        arguments (`argparse.Namespace`): of `add_evaluation_arguments` and `add_e2_arguments`.

    Raises:
        ValueError: the corpus, its column map or the split cannot be used for it.
    """
    check_protocol(arguments.protocol, arguments.group_column)
    column_map = column_map_for(arguments.column_map, arguments.corpus)
    dataset, train, checked = load_splits(arguments, column_map, with_train=arguments.linear_probe)
    model, processor = _load_model(arguments)
    batch_size = arguments.batch_size
    images = embed_images(model, processor, dataset, column_map.image, batch_size)
    common = (model, processor, dataset, column_map)
    results = {name: getattr(arguments, name) for name in ("model", "corpus", "split", "dtype")}
    results["skipped_rows"] = len(checked.skipped.get(arguments.split, []))
    embedded = embed_candidates(*common, arguments.pairing, images["image_embeds"], batch_size)
    results["cross_modal"] = cross_modal_figures(
        embedded, dataset, column_map, arguments.protocol, arguments.group_column, arguments.seed
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
        searches = {"text_to_image": [embedded.text_to_image()]}
        results["reranking"] = compare_rerankers(arguments.rerankers, searches, arguments.num_candidates, model.device)
    return results | {"entities": list(column_map.tags)}


def print_tables(results: dict[str, Any]) -> None:
    """Prints every part that was measured.

    Args:
        results (`dict`): of `evaluate`.
    """
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


def _load_model(arguments: argparse.Namespace) -> tuple[PreTrainedModel, ProcessorMixin]:
    """The model on its device, and its processor."""
    model = AutoModel.from_pretrained(arguments.model, dtype=arguments.dtype)
    return model.to(device_of(arguments)), AutoProcessor.from_pretrained(arguments.model)
