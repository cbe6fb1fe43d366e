"""Searches that FR is trained and validated on: photos or texts, embedded by the model whose results FR re-ranks."""

import json
from dataclasses import asdict
from pathlib import Path

from accelerate import Accelerator
from datasets import Dataset, DatasetDict
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import PreTrainedModel

from ...data.attributes.labels import read_labels
from ...data.attributes.protocol import all_against_all, draw_protocol
from ...data.attributes.vocabulary import with_attributes
from ...data.column_map import ColumnMap
from ...embedding.whole_model import load_whole
from ...evaluation.attribute_retrieval import attribute_searches
from ...evaluation.cross_modal_candidates import embed_candidates
from ...evaluation.labelled_search import LabelledSearch
from ...files import file_written_aside
from ..sources import embedder_processor, made_once
from .recipe import FeatureReasoningRecipe


Searches = dict[str, list[LabelledSearch]]
FIELDS = ("query_embeds", "gallery_embeds", "query_labels", "gallery_labels", "own_places")


def embedded_once(
    recipe: FeatureReasoningRecipe,
    corpus: DatasetDict,
    column_map: ColumnMap,
    accelerator: Accelerator,
    sources: dict[str, str],
) -> dict[str, Searches]:
    """Return the searches of a run, embedded once and kept on disk.

    Args:
        recipe (`FeatureReasoningRecipe`): names the embedder and the output folder.
        corpus (`DatasetDict`): `train`, which the embedder has not seen, and `validation`.
        column_map (`ColumnMap`): names the photo, and the attributes or the caption.
        accelerator (`Accelerator`): devices and processes.
        sources (`dict[str, str]`): from `embedding_sources`; searches of other sources are not read.

    Returns:
        `dict`: as `embedded_searches`.

    Raises:
        ValueError: as `embedded_searches`.
    """

    def make(path: Path) -> None:
        model = load_whole(recipe.model.embedder).to(accelerator.device)
        found = embedded_searches(model, recipe.model.embedder, corpus, column_map, recipe.data.attributes)
        save_searches(found, path)

    made_of = [sources, asdict(recipe.data)]
    return load_searches(made_once(accelerator, recipe.training.output_dir, "searches", made_of, make))


def embedded_searches(
    model: PreTrainedModel, embedder: str, corpus: DatasetDict, column_map: ColumnMap, attributes: list[str] | None
) -> dict[str, Searches]:
    """Embed both splits and make searches of them: from photos to photos with the same value, or from texts to photos.

    Args:
        model (`PreTrainedModel`): an attribute-specific model, or an E2 or CLIP.
        embedder (`str`): folder or Hub id of the model, for its processor.
        corpus (`DatasetDict`): `train`, which the model has not seen, and `validation`.
        column_map (`ColumnMap`): names the photo, and the attributes or the caption.
        attributes (`list[str]`, *optional*): attributes to search by. Default: all that both the model and the map
            have.

    Returns:
        `dict`: split -> attribute -> searches; searches by text are under the name `text_to_image`.

    Raises:
        ValueError: the model does not have an attribute, or the corpus has no labels or captions.
    """
    if not hasattr(model.config, "attribute_names"):
        if attributes:
            raise ValueError(f"`data.attributes` must be null for {type(model).__name__}, which has no attributes.")
        processor = embedder_processor(model, embedder)
        return {
            name: {"text_to_image": [embed_candidates(model, processor, split, column_map).text_to_image()]}
            for name, split in corpus.items()
        }
    processor = embedder_processor(model, embedder)
    known = [name for name in model.config.attribute_names if name in column_map.attributes]
    column_map = with_attributes(column_map, attributes or known)

    def searches(split: Dataset, protocol) -> Searches:
        return attribute_searches(model, processor, split, column_map, [protocol(read_labels(split, column_map))])

    return {
        "train": searches(corpus["train"], all_against_all),
        "validation": searches(corpus["validation"], draw_protocol),
    }


def save_searches(searches: dict[str, Searches], path: Path) -> None:
    """Save searches to one file, which appears when all of it is written.

    Args:
        searches (`dict`): as `embedded_searches` returns them.
        path (`Path`): a `.safetensors` file.
    """
    listed = [
        (split, name, search) for split, named in searches.items() for name, parts in named.items() for search in parts
    ]
    tensors = {
        f"{number}.{field}": getattr(search, field).clone()  # two fields may be one tensor
        for number, (_, _, search) in enumerate(listed)
        for field in FIELDS
        if getattr(search, field) is not None
    }
    with file_written_aside(path) as aside:
        save_file(tensors, aside, metadata={"searches": json.dumps([place[:2] for place in listed])})


def load_searches(path: Path) -> dict[str, Searches]:
    """Load the searches that `save_searches` wrote.

    Args:
        path (`Path`): the file.
    """
    searches: dict[str, Searches] = {}
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        for number, (split, name) in enumerate(json.loads(file.metadata()["searches"])):
            stored = {field: file.get_tensor(f"{number}.{field}") for field in FIELDS if f"{number}.{field}" in names}
            searches.setdefault(split, {}).setdefault(name, []).append(LabelledSearch(**stored))
    return searches
