"""Embeddings of the photos that a combiner is trained and validated on, computed once."""

from pathlib import Path

from accelerate import Accelerator
from datasets import DatasetDict
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from ...data.column_map import ColumnMap
from ...embedding.corpus import embed_images
from ...evaluation.changes.catalogue_changes import embeds_by_space
from ...files import file_written_aside
from ..sources import made_once
from .recipe import CombinerRecipe


# split -> space -> embeddings (N, d)
Embeddings = dict[str, dict[str, Tensor]]


def embedded_once(
    recipe: CombinerRecipe,
    embedder: PreTrainedModel,
    processor: ProcessorMixin,
    corpus: DatasetDict,
    column_map: ColumnMap,
    accelerator: Accelerator,
    sources: dict[str, str],
) -> Embeddings:
    """Return the embeddings of a run's photos, computed once in the recipe's precision and kept on disk.

    Args:
        recipe (`CombinerRecipe`): names the output folder.
        embedder (`PreTrainedModel`): an E2, CLIP or SigLIP.
        processor (`ProcessorMixin`): its processor.
        corpus (`DatasetDict`): `train` and `validation`.
        column_map (`ColumnMap`): names the photo.
        accelerator (`Accelerator`): devices, processes and precision.
        sources (`dict[str, str]`): from `embedding_sources`; embeddings of other sources are not read.
    """

    def make(path: Path) -> None:
        embedder.to(accelerator.device)
        with accelerator.autocast():
            found = {
                split: embeds_by_space(embedder, embed_images(embedder, processor, rows, column_map.image))
                for split, rows in corpus.items()
            }
        save_embeddings(found, path)

    made_of = [sources, accelerator.mixed_precision]
    return load_embeddings(made_once(accelerator, recipe.training.output_dir, "embeddings", made_of, make))


def save_embeddings(embeddings: Embeddings, path: Path) -> None:
    """Save embeddings to one file, which appears when all of it is written.

    Args:
        embeddings (`dict`): split -> space -> embeddings (N, d).
        path (`Path`): a `.safetensors` file.
    """
    tensors = {f"{split}/{space}": its for split, spaces in embeddings.items() for space, its in spaces.items()}
    with file_written_aside(path) as aside:
        save_file({name: its.contiguous() for name, its in tensors.items()}, aside)


def load_embeddings(path: Path) -> Embeddings:
    """Load the embeddings that `save_embeddings` wrote.

    Args:
        path (`Path`): the file.
    """
    embeddings: Embeddings = {}
    for name, its in load_file(path).items():
        split, _, space = name.partition("/")
        embeddings.setdefault(split, {})[space] = its
    return embeddings
