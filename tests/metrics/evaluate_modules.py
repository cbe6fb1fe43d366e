"""Load the `evaluate` modules by their paths, without network, and feed them in batches."""

from pathlib import Path

import evaluate
import torch

import hf_fashion.metrics


FOLDER = Path(hf_fashion.metrics.__file__).parent


def load_metric(name: str, cache: Path) -> evaluate.Metric:
    return evaluate.load(str(FOLDER / name), cache_dir=str(cache))


def in_two_batches(metric: evaluate.Metric, columns: dict[str, list], **options) -> dict[str, float]:
    """Compute a metric of columns that are added in two batches."""
    for rows in (slice(0, 5), slice(5, 12)):
        metric.add_batch(**{name: values[rows] for name, values in columns.items()})
    return metric.compute(**options)


def cross_modal_columns() -> dict[str, torch.Tensor]:
    """12 pairs; every title three times."""
    images, texts = torch.randn(2, 12, 4, generator=torch.Generator().manual_seed(0))
    labels, titles = torch.arange(12), torch.arange(12) // 3
    integers = {"image_labels": labels, "text_labels": labels, "image_inputs": labels, "text_inputs": titles}
    return {"predictions": images, "references": texts} | integers


def as_lists(columns: dict[str, torch.Tensor]) -> dict[str, list]:
    return {name: values.tolist() for name, values in columns.items()}
