"""Show the results of one evaluation as text tables, as `hf-fashion evaluate` prints them."""

from collections.abc import Mapping
from typing import Any

from .tables import (
    LOCALISATION_COLUMNS,
    POINTING_COLUMNS,
    PROBE_COLUMNS,
    TAG_COLUMNS,
    attribute_cells,
    caption_cells,
    change_cells,
    entity_cells,
    left_out,
    recall_cells,
    reranking_cells,
    said_tag_cells,
    table,
)


E2_PARTS = {
    "tags": ("Tags, zero-shot, and photos by tag (%)", TAG_COLUMNS),
    "linear_probe": ("Linear probe (%)", PROBE_COLUMNS),
    "localisation": ("Selected patches and true boxes (%)", LOCALISATION_COLUMNS),
}
CHANGES_TITLE = "Photo and a change: ways to search, and the pipeline's default in the last row (%)"


def evaluation_tables(results: Mapping[str, Any]) -> str:
    """Return a text table of every part that an evaluation measured, each below its title.

    Args:
        results (`Mapping[str, Any]`): from [`~evaluation.evaluate.evaluate`].
    """
    title = f"{results['model']} on {results['corpus']} ({results['split']}): "
    if "fashion_iq" in results:
        blocks = [title + CHANGES_TITLE, table(*change_cells(results["fashion_iq"]))]
        blocks += filter(None, [left_out(results["fashion_iq"])])
    elif "captions" in results:
        blocks = _caption_blocks(title, results)
    else:
        blocks = (_attribute_blocks if "retrieval" in results else _e2_blocks)(title, results)
    return "\n" + "\n\n".join(blocks)


def _e2_blocks(title: str, results: Mapping[str, Any]) -> list[str]:
    """Titles and tables of E2 or CLIP, in turn."""
    cross_modal, entities = results["cross_modal"], results["entities"]
    title += f"{cross_modal['num_images']} photos, {cross_modal['num_texts']} texts, "
    blocks = [title + f"{cross_modal['protocol']}, {cross_modal['pairing']}", table(*recall_cells(cross_modal))]
    for name, (part_title, columns) in E2_PARTS.items():
        if name in results:
            rows = results[name].get("rows", entities)
            blocks += [part_title, table(*entity_cells(results[name], rows, columns))]
    if "changes" in results:
        blocks += [CHANGES_TITLE, table(*change_cells(results["changes"]))]
    if "reranking" in results:
        blocks += ["Re-ranking of the first photos, among all candidates (%)"]
        blocks += [table(*reranking_cells(results["reranking"]))]
    return blocks


def _attribute_blocks(title: str, results: Mapping[str, Any]) -> list[str]:
    """Titles and tables of an attribute-specific model, in turn."""
    retrieval, attributes = results["retrieval"], results["attributes"]
    blocks = [title + "search by attribute (%)", table(*attribute_cells(retrieval, attributes))]
    if retrieval["num_without_match"]:
        blocks += [f"{retrieval['num_without_match']} queries without a right candidate count as 0."]
    if "pointing" in results:
        blocks += ["Peak of the attention and true boxes (%)"]
        blocks += [table(*entity_cells(results["pointing"], attributes, POINTING_COLUMNS))]
    if "reranking" in results:
        blocks += ["Re-ranking of the first candidates (%)", table(*reranking_cells(results["reranking"]))]
    return blocks


def _caption_blocks(title: str, results: Mapping[str, Any]) -> list[str]:
    """Titles and tables of a captioner, in turn."""
    blocks = [title + f"captions of {results['captions']['num_photos']} photos"]
    blocks += [table(*caption_cells(results["captions"]))]
    if results["said_tags"]["entities"]:
        blocks += ["Tags that captions name (%)", table(*said_tag_cells(results["said_tags"]))]
    rows = [[example["caption"], example["true_caption"]] for example in results["examples"]]
    return [*blocks, "Examples", table(["caption", "true caption"], rows)]
