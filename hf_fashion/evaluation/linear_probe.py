"""Measure a linear probe: logistic regression of tags on frozen embeddings."""

from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin
from transformers.utils import is_sklearn_available

from ..data.column_map import ColumnMap
from ..data.values import column_texts
from ..embedding.corpus import embed_images
from ..metrics import TokenEmbeds
from .tags import region_embeds_by_entity, require_tags


PRIMARY_METRIC = "mean_probe_accuracy"
MAX_ITERATIONS = 300


@dataclass(frozen=True)
class ProbeSettings:
    """
    Settings of a linear probe.

    Args:
        max_train_rows (`int`, *optional*, defaults to 5000): rows drawn from the train split.
        min_class_rows (`int`, *optional*, defaults to 5): training rows that a class needs.
        seed (`int`, *optional*, defaults to 0): of the draw.
    """

    max_train_rows: int = 5000
    min_class_rows: int = 5
    seed: int = 0


def require_sklearn() -> None:
    """Raise if scikit-learn is missing.

    Raises:
        ImportError: naming the extra to install.
    """
    if not is_sklearn_available():
        raise ImportError('linear probing needs scikit-learn: pip install "hf-fashion[evaluation]"')


def evaluate_linear_probe(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    train: Dataset,
    evaluation: Dataset,
    column_map: ColumnMap,
    settings: ProbeSettings | None = None,
    images: dict[str, Tensor] | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, float]:
    """Return the accuracy of a logistic regression on frozen embeddings, for every entity of `column_map.tags`.

    The classifier is trained on a seeded subset of the train split and tested on the evaluation split. A class with
    fewer than `min_class_rows` training rows is left out on both sides; the number of evaluation rows left out is
    returned. The image embedding of a FILIP is the mean of its patches' embeddings.

    Args:
        model (`PreTrainedModel`): E2, FILIP or CLIP.
        processor (`ProcessorMixin`): its processor.
        train (`Dataset`): the split to train on.
        evaluation (`Dataset`): the split to test on.
        column_map (`ColumnMap`): names the photo and the column of each entity's tag.
        settings (`ProbeSettings`, *optional*): see `ProbeSettings`.
        images (`dict[str, torch.Tensor]`, *optional*): from `embed_images`, of the evaluation split. Default: computed
            here.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): show progress bars.

    Returns:
        `dict`: for each entity `{entity}_num_images`, `{entity}_num_rare` (evaluation rows left out),
        `{entity}_num_classes`, `{entity}_majority_rate` (accuracy of always naming the most frequent training class),
        `{entity}_image_probe_accuracy` and, where the model has this entity, `{entity}_region_probe_accuracy`.
        `mean_probe_accuracy` is the mean over entities from image embeddings.

    Raises:
        ImportError: scikit-learn is missing.
        ValueError: the map names no tags, or an entity has fewer than two classes that are frequent enough.
    """
    require_tags(column_map)
    require_sklearn()
    settings = settings or ProbeSettings()
    train = draw_rows(train, settings.max_train_rows, settings.seed)
    train_images = embed_images(model, processor, train, column_map.image, batch_size, progress=progress)
    if images is None:
        images = embed_images(model, processor, evaluation, column_map.image, batch_size, progress=progress)
    results = probe_entities(model, train, evaluation, column_map, train_images, images, settings)
    means = [results[f"{entity}_image_probe_accuracy"] for entity in column_map.tags]
    return results | {PRIMARY_METRIC: sum(means) / len(means)}


def probe_entities(
    model: PreTrainedModel,
    train: Dataset,
    evaluation: Dataset,
    column_map: ColumnMap,
    train_images: dict[str, Tensor],
    images: dict[str, Tensor],
    settings: ProbeSettings,
) -> dict[str, float]:
    """Return the accuracy of linear probes of every entity, as [`evaluate_linear_probe`] does, without the mean.

    Args:
        model (`PreTrainedModel`): E2, FILIP or CLIP.
        train (`Dataset`): M rows to train on, all of them.
        evaluation (`Dataset`): N rows to test on.
        column_map (`ColumnMap`): names the column of each entity's tag.
        train_images (`dict[str, torch.Tensor]`): from `embed_images`, of the training rows.
        images (`dict[str, torch.Tensor]`): from `embed_images`, of the evaluation rows.
        settings (`ProbeSettings`): see `ProbeSettings`.

    Raises:
        ValueError: an entity has fewer than two classes that are frequent enough.
    """
    train_regions, regions = region_embeds_by_entity(model, train_images), region_embeds_by_entity(model, images)
    results = {}
    for entity, column in column_map.tags.items():
        tags = column_texts(train, column), column_texts(evaluation, column)
        kinds = {"image": (_vectors(train_images["image_embeds"]), _vectors(images["image_embeds"]))}
        if entity in regions:
            kinds["region"] = (train_regions[entity], regions[entity])
        metrics = probe_entity(kinds, *tags, entity, settings)
        results |= {f"{entity}_{name}": value for name, value in metrics.items()}
    return results


def probe_entity(
    kinds: dict[str, tuple[Tensor, Tensor]],
    train_tags: list[str | None],
    tags: list[str | None],
    entity: str,
    settings: ProbeSettings,
) -> dict[str, float]:
    """Return the accuracy of linear probes of one entity, one from each kind of embedding.

    Args:
        kinds (`dict[str, tuple[torch.Tensor, torch.Tensor]]`): kind -> embeddings of the training rows (M, P) and of
            the evaluation rows (N, P).
        train_tags (`list[str | None]`): M tags, `None` or empty where the tag is missing.
        tags (`list[str | None]`): N tags of the evaluation rows.
        entity (`str`): name for the error message.
        settings (`ProbeSettings`): see `ProbeSettings`.

    Raises:
        ValueError: fewer than two classes are frequent enough, or no evaluation row has one of them.
    """
    train_array, array = (np.array([tag or "" for tag in column], dtype=str) for column in (train_tags, tags))
    names, counts = np.unique(train_array[train_array != ""], return_counts=True)
    frequent = names[counts >= settings.min_class_rows]
    train_rows, rows = np.isin(train_array, frequent), np.isin(array, frequent)
    if len(frequent) < 2 or not rows.any():
        raise ValueError(
            f"linear probe of {entity!r}: {len(frequent)} classes have at least min_class_rows="
            f"{settings.min_class_rows} training rows and {rows.sum()} evaluation rows are of these; it needs 2 "
            "classes and 1 row. Lower min_class_rows, raise max_train_rows, or leave the entity out"
        )
    metrics = {
        "num_images": int(rows.sum()),
        "num_rare": int((array != "").sum() - rows.sum()),
        "num_classes": len(frequent),
        "majority_rate": float((array[rows] == names[counts.argmax()]).mean()),
    }
    for kind, (train_embeds, embeds) in kinds.items():
        classifier = _classifier().fit(train_embeds.numpy()[train_rows], train_array[train_rows])
        metrics[f"{kind}_probe_accuracy"] = float(classifier.score(embeds.numpy()[rows], array[rows]))
    return metrics


def draw_rows(dataset: Dataset, max_rows: int, seed: int) -> Dataset:
    """Draw rows without replacement and keep their order.

    Args:
        dataset (`Dataset`): drawn from.
        max_rows (`int`): how many; all where there are fewer.
        seed (`int`): of the draw.
    """
    chosen = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))[:max_rows]
    return dataset.select(chosen.sort().values)


def _vectors(embeds: Tensor | TokenEmbeds) -> Tensor:
    return embeds.mean() if isinstance(embeds, TokenEmbeds) else embeds


def _classifier():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_ITERATIONS))
