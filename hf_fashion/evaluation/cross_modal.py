"""Measure image-to-text and text-to-image retrieval on one split of a corpus."""

from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.values import column_texts
from ..embedding.corpus import equality_ids, photo_ids
from ..metrics import cross_modal_recall, relevant_recall_at_k, relevant_recall_ceiling, sample_cross_modal_recall
from .cross_modal_candidates import EmbeddedCandidates, embed_candidates
from .options import check_protocol


PRIMARY_METRIC = "sum_recall"


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
    """Return recall@1, 5, 10 in both directions, each with its ceiling; the primary metric is `sum_recall`.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo and the caption; see `product_texts`.
        pairing (`str`, *optional*, defaults to `"distinct_titles"`): see `choose_candidates`.
        protocol (`str`, *optional*, defaults to `"full"`): see `check_protocol`.
        group_column (`str`, *optional*): for `sample100`, the column of the group (sub-category); rows without a value
            form one group.
        seed (`int`, *optional*, defaults to 0): for `sample100`, seed of the draws.
        image_embeds (`torch.Tensor` of shape `(N, P)`, *optional*): from `embed_images`. Default: computed here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.

    Returns:
        `dict`: as `cross_modal_metrics`.

    Raises:
        ValueError: an argument is not as above, the map names no caption, or no row has one.
    """
    check_protocol(protocol, group_column)
    embedded = embed_candidates(model, processor, dataset, column_map, pairing, image_embeds, batch_size, progress)
    return cross_modal_metrics(embedded, dataset, column_map, protocol, group_column, seed)


def cross_modal_metrics(
    embedded: EmbeddedCandidates,
    dataset: Dataset,
    column_map: ColumnMap,
    protocol: str = "full",
    group_column: str | None = None,
    seed: int = 0,
) -> dict[str, float | str]:
    """Return the metrics of `evaluate_cross_modal` for candidates that are already embedded.

    Args:
        embedded (`EmbeddedCandidates`): from `embed_candidates`.
        dataset (`Dataset`): the rows that were embedded.
        column_map (`ColumnMap`): names the photo.
        protocol (`str`, *optional*, defaults to `"full"`): as in `evaluate_cross_modal`, like the next two.
        group_column (`str`, *optional*): column of the group.
        seed (`int`, *optional*, defaults to 0): of the draws.

    Returns:
        `dict`: the metrics of `cross_modal_recall` or `sample_cross_modal_recall`; with `same_title` also
        `text_to_image_relevant_recall@k` and its ceiling; and `pairing`, `protocol`, `num_images`, `num_texts`.

    Raises:
        ValueError: `protocol` is unknown, or `group_column` is missing.
    """
    check_protocol(protocol, group_column)
    rows, text_inputs = embedded.candidates, embedded.text_inputs
    sides = (embedded.image_embeds, embedded.text_embeds, rows.image_labels, rows.text_labels)
    image_inputs = photo_ids(dataset, column_map.image)[rows.image_rows]
    if protocol == "sample100":
        groups = equality_ids(column_texts(dataset, group_column))
        metrics = sample_cross_modal_recall(
            *sides, groups[rows.image_rows], groups[rows.text_rows], image_inputs, text_inputs, seed=seed
        )
    else:
        metrics = cross_modal_recall(*sides, image_inputs, text_inputs)
        if embedded.pairing == "same_title":
            metrics |= _relevant_recall(*sides)
    counts = {"num_images": len(embedded.image_embeds), "num_texts": len(embedded.text_embeds)}
    return metrics | {"pairing": embedded.pairing, "protocol": protocol} | counts


def _relevant_recall(
    image_embeds: Tensor, text_embeds: Tensor, image_labels: Tensor, text_labels: Tensor
) -> dict[str, float]:
    metrics = relevant_recall_at_k(text_embeds, image_embeds, text_labels, image_labels)
    metrics |= relevant_recall_ceiling(text_labels, image_labels)
    return {f"text_to_image_{name}": value for name, value in metrics.items() if "@" in name}
