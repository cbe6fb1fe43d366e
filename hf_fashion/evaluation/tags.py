"""Measure zero-shot tagging and tag-to-image search, from region embeddings and from image embeddings."""

import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ..data.column_map import ColumnMap
from ..data.values import column_texts
from ..embedding.batches import has_regions
from ..embedding.corpus import embed_images, embed_texts
from ..metrics import TokenEmbeds, mean_average_precision, precision_at_k, precision_ceiling, recall_at_k


PRIMARY_METRIC = "mean_tag_accuracy"
PRECISION_K = 10


def require_tags(column_map: ColumnMap) -> None:
    """Raise if a column map names no tags.

    Args:
        column_map (`ColumnMap`): of a corpus.

    Raises:
        ValueError: it names none.
    """
    if not column_map.tags:
        raise ValueError("the column map names no `tags`: add the columns of the tags to it")


def evaluate_tags(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    dataset: Dataset,
    column_map: ColumnMap,
    images: dict[str, Tensor] | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, float]:
    """Return metrics of zero-shot tagging and tag-to-image search, for every entity of `column_map.tags`.

    An entity's vocabulary is the distinct tags of the split, and the prompt is the tag itself. Photos without a tag
    are left out of its entity.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        processor (`ProcessorMixin`): its processor.
        dataset (`Dataset`): N rows.
        column_map (`ColumnMap`): names the photo and the column of each entity's tag.
        images (`dict[str, torch.Tensor]`, *optional*): from `embed_images`. Default: computed here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.

    Returns:
        `dict`: for each entity `{entity}_num_images`, `{entity}_num_tags`, `{entity}_majority_rate` (accuracy of
        always naming the most frequent tag), `{entity}_precision_ceiling@10`, and for `image` and (where the model
        has this entity) `region` embeddings `{entity}_{kind}_accuracy`, `{entity}_{kind}_map` and
        `{entity}_{kind}_precision@10`, the last two with tags as queries and photos as gallery.
        `image_tag_accuracy` is the mean over the entities from image embeddings; the primary metric
        `mean_tag_accuracy` takes region embeddings where there are any.

    Raises:
        ValueError: the map names no tags, or no photo has a tag of an entity.
    """
    require_tags(column_map)
    if images is None:
        images = embed_images(model, processor, dataset, column_map.image, batch_size, progress=progress)
    kinds = {
        "image": dict.fromkeys(column_map.tags, images["image_embeds"]),
        "region": region_embeds_by_entity(model, images),
    }
    results, best, from_image = {}, [], []
    for entity, column in column_map.tags.items():
        rows, tag_ids, vocabulary = tag_labels(column_texts(dataset, column), entity)
        tag_embeds, _ = embed_texts(model, processor, vocabulary, progress=progress)
        results |= {f"{entity}_{name}": value for name, value in _facts(tag_ids, vocabulary).items()}
        for kind, by_entity in kinds.items():
            if entity in by_entity:
                metrics = tag_metrics(by_entity[entity][rows], tag_embeds, tag_ids)
                results |= {f"{entity}_{kind}_{name}": value for name, value in metrics.items()}
        from_image.append(results[f"{entity}_image_accuracy"])
        best.append(results.get(f"{entity}_region_accuracy", from_image[-1]))
    return results | {"image_tag_accuracy": sum(from_image) / len(best), PRIMARY_METRIC: sum(best) / len(best)}


def tag_metrics(embeds: Tensor | TokenEmbeds, tag_embeds: Tensor | TokenEmbeds, tag_ids: Tensor) -> dict[str, float]:
    """Return the accuracy of naming each photo's tag, and MAP and precision@10 of finding photos by tag.

    Args:
        embeds (`torch.Tensor` of shape `(N, P)` or `TokenEmbeds`): float32, L2-normalised; photos.
        tag_embeds (`torch.Tensor` of shape `(V, P)` or `TokenEmbeds`): float32, L2-normalised; tags.
        tag_ids (`torch.Tensor` of shape `(N,)`): int64; each photo's tag in 0..V-1. Every tag has a photo.
    """
    vocabulary_ids = torch.arange(len(tag_embeds))
    accuracy = recall_at_k(embeds, tag_embeds, tag_ids, vocabulary_ids, ks=(1,))["recall@1"]
    search = (tag_embeds, embeds, vocabulary_ids, tag_ids)
    precision = precision_at_k(*search, ks=(PRECISION_K,))[f"precision@{PRECISION_K}"]
    return {
        "accuracy": accuracy,
        "map": mean_average_precision(*search)["map"],
        f"precision@{PRECISION_K}": precision,
    }


def tag_labels(tags: list[str | None], entity: str) -> tuple[Tensor, Tensor, list[str]]:
    """Return the rows (M,) that have a tag, their tags as integers (M,), and the sorted vocabulary.

    Args:
        tags (`list[str | None]`): the tag of each row.
        entity (`str`): name for the error message.

    Raises:
        ValueError: no row has the tag.
    """
    vocabulary = sorted({tag for tag in tags if tag})
    if not vocabulary:
        raise ValueError(f"no row has a tag of the entity {entity!r}")
    place = {tag: i for i, tag in enumerate(vocabulary)}
    rows = [row for row, tag in enumerate(tags) if tag]
    return torch.tensor(rows), torch.tensor([place[tags[row]] for row in rows]), vocabulary


def region_embeds_by_entity(model: PreTrainedModel, images: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return entity -> its region embeddings (N, P); empty for a model without tag entities.

    Args:
        model (`PreTrainedModel`): E2, CLIP or FILIP.
        images (`dict[str, torch.Tensor]`): from `embed_images`.
    """
    if not has_regions(model):
        return {}
    return dict(zip(model.config.tag_entities, images["region_embeds"].unbind(dim=1), strict=True))


def _facts(tag_ids: Tensor, vocabulary: list[str]) -> dict[str, float]:
    counts = tag_ids.bincount()
    ceiling = precision_ceiling(torch.arange(len(vocabulary)), tag_ids, ks=(PRECISION_K,))
    majority = counts.max().item() / len(tag_ids)
    return {"num_images": len(tag_ids), "num_tags": len(vocabulary), "majority_rate": majority} | ceiling
