"""What an embedding model finds on photos that it has not seen, and on those to validate on: FR learns from it."""

import torch
from datasets import Dataset, DatasetDict
from transformers import AutoModel, AutoProcessor
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from ..data.attribute_labels import read_labels
from ..data.attribute_protocol import all_against_all, draw_protocol
from ..data.attribute_vocabulary import with_attributes
from ..data.column_map import ColumnMap
from ..evaluation.attribute_retrieval import attribute_searches
from ..evaluation.cross_modal import text_to_image_search
from ..retrieval.labelled_search import LabelledSearch


Searches = dict[str, list[LabelledSearch]]


def embedded_searches(
    embedder: str, corpus: DatasetDict, column_map: ColumnMap, attributes: list[str] | None, device: torch.device
) -> dict[str, Searches]:
    """Embeds both splits once and asks: photos for photos of their value, or descriptions for photos.

    Args:
        embedder (`str`): folder or Hub id of an attribute-specific model, or of an E2 or CLIP.
        corpus (`DatasetDict`): `train`, which the embedder has not seen, and `validation`.
        column_map (`ColumnMap`): names the photo, and the attributes or the caption.
        attributes (`list[str]`, *optional*): those to search by; default: all that the model and the map have.
        device (`torch.device`): where the embedder runs.

    Returns:
        `dict`: split -> attribute -> searches; of descriptions under the name `text_to_image`.

    Raises:
        ValueError: if the model lacks an attribute, or the corpus labels or captions.
    """
    model = AutoModel.from_pretrained(embedder).to(device)
    if not hasattr(model.config, "attribute_names"):
        processor = AutoProcessor.from_pretrained(embedder)
        return {
            name: {"text_to_image": [text_to_image_search(model, processor, split, column_map)]}
            for name, split in corpus.items()
        }
    processor = AutoImageProcessor.from_pretrained(embedder)
    known = [name for name in model.config.attribute_names if name in column_map.attributes]
    column_map = with_attributes(column_map, attributes or known)

    def searches(split: Dataset, protocol) -> Searches:
        return attribute_searches(model, processor, split, column_map, [protocol(read_labels(split, column_map))])

    return {
        "train": searches(corpus["train"], all_against_all),
        "validation": searches(corpus["validation"], draw_protocol),
    }
