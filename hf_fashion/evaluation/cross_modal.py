"""Image-to-text and text-to-image retrieval on one split of a corpus."""

from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.values import column_texts
from ..embedding.corpus import equality_ids, photo_ids
from ..metrics import cross_modal_recall, relevant_recall_at_k, relevant_recall_ceiling, sample_cross_modal_recall
from .cross_modal_candidates import EmbeddedCandidates, embed_candidates
from .retrieval_options import PROTOCOLS


PRIMARY_METRIC = "sum_recall"


def check_protocol(protocol: str, group_column: str | None) -> None:
    """Does nothing if candidates can be compared so.

    Args:
        protocol: `full` (every candidate) or `sample100` (one match and 100 non-matches of the same group).
        group_column: for `sample100`, the column of the group.

    Raises:
        ValueError: they cannot.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of {PROTOCOLS}, got {protocol!r}")
    if protocol == "sample100" and group_column is None:
        raise ValueError("the sample100 protocol draws negatives from a group: give `group_column`")


def evaluate_cross_modal(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    pairing: str = "distinct_titles",
    protocol: str = "full",
    group_column: str | None = None,
    seed: int = 0,
    image_embeds: Tensor | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, float | str]:
    """Recall@1, 5, 10 both ways on a split, each beside its ceiling; the primary metric is `sum_recall`.

    Args:
        model: E2 or CLIP.
        processor: its processor.
        dataset: N rows.
        column_map: names the photo and the caption; see `product_texts`.
        pairing: see `choose_candidates`.
        protocol: see `check_protocol`.
        group_column: for `sample100`, the column of the group (sub-category); rows without a value form one group.
        seed: for `sample100`, seed of the draws.
        image_embeds: (N, P) from `embed_images`, where they are at hand.
        batch_size: photos a forward pass.
        progress: whether to show progress bars.

    Returns:
        As `cross_modal_figures`.

    Raises:
        ValueError: an argument is none of the above, the map names no caption, or no row has one.
    """
    check_protocol(protocol, group_column)
    embedded = embed_candidates(model, processor, dataset, column_map, pairing, image_embeds, batch_size, progress)
    return cross_modal_figures(embedded, dataset, column_map, protocol, group_column, seed)


def cross_modal_figures(
    embedded: EmbeddedCandidates,
    dataset: Dataset,
    column_map: ColumnMap,
    protocol: str = "full",
    group_column: str | None = None,
    seed: int = 0,
) -> dict[str, float | str]:
    """The figures of `evaluate_cross_modal`, where the candidates are embedded already.

    Args:
        embedded: from `embed_candidates`.
        dataset: the rows that they are of.
        column_map: names the photo.
        protocol: as in `evaluate_cross_modal`, like all others.
        group_column: column of the group.
        seed: of the draws.

    Returns:
        The figures of `cross_modal_recall` or `sample_cross_modal_recall`; with `same_title` also
        `text_to_image_relevant_recall@k` and its ceiling; and `pairing`, `protocol`, `num_images`, `num_texts`.

    Raises:
        ValueError: `protocol` is not known, or lacks `group_column`.
    """
    check_protocol(protocol, group_column)
    rows, text_inputs = embedded.candidates, embedded.text_inputs
    sides = (embedded.image_embeds, embedded.text_embeds, rows.image_labels, rows.text_labels)
    image_inputs = photo_ids(dataset, column_map.image)[rows.image_rows]
    if protocol == "sample100":
        groups = equality_ids(column_texts(dataset, group_column))
        figures = sample_cross_modal_recall(
            *sides, groups[rows.image_rows], groups[rows.text_rows], image_inputs, text_inputs, seed=seed
        )
    else:
        figures = cross_modal_recall(*sides, image_inputs, text_inputs)
        if embedded.pairing == "same_title":
            figures |= _relevant_recall(*sides)
    counts = {"num_images": len(embedded.image_embeds), "num_texts": len(embedded.text_embeds)}
    return figures | {"pairing": embedded.pairing, "protocol": protocol} | counts


def _relevant_recall(
    image_embeds: Tensor, text_embeds: Tensor, image_labels: Tensor, text_labels: Tensor
) -> dict[str, float]:
    figures = relevant_recall_at_k(text_embeds, image_embeds, text_labels, image_labels)
    figures |= relevant_recall_ceiling(text_labels, image_labels)
    return {f"text_to_image_{name}": value for name, value in figures.items() if "@" in name}
