"""Measure finished runs of E2, CLIP-FT and FILIP-FT above frozen layers: both protocols of retrieval, linear probes.

Photos come from the outputs of the frozen layers that training has kept on disk, so that a run takes a minute or two.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from datasets import Dataset, DatasetDict
from torch import Tensor
from transformers import PreTrainedModel

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.batches import embed_batches
from hf_fashion.embedding.whole_model import load_whole
from hf_fashion.evaluation.cross_modal import cross_modal_metrics
from hf_fashion.evaluation.cross_modal_candidates import embed_candidates
from hf_fashion.evaluation.linear_probe import ProbeSettings, draw_rows, probe_entities
from hf_fashion.files import write_json
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.corpus import cache_photos, load_data
from hf_fashion.training.e2.build import make_model
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.photos import freeze_layers, frozen_outputs
from hf_fashion.training.frozen_layers.state_cache import StateCache, stack_states


MEASURES = "measures.json"  # in the folder of a run
GROUP = "article_type"  # column of the group that the negatives of sample-100 are drawn from
PROBE = ProbeSettings()
Embed = Callable[[PreTrainedModel, Iterator[dict[str, Tensor]]], dict[str, Any]]


def measure_run(folder: Path) -> None:
    """Write `measures.json` of a run's last model, where it is missing."""
    if not (folder / MEASURES).exists():
        recipe, processor = E2Recipe.read(folder / "recipe.yaml"), E2Processor.from_pretrained(folder / "last")
        model = load_whole(str(folder / "last"))
        corpus, column_map, images = embed_splits(recipe, model, processor, embed_photos)
        embedded = embed_candidates(
            model, processor, corpus["validation"], column_map, image_embeds=images["validation"]["image_embeds"]
        )
        measured = {
            name: cross_modal_metrics(embedded, corpus["validation"], column_map, name, GROUP)
            for name in ("full", "sample100")
        }
        write_json(measured | {"probe": probe(model, corpus, column_map, images)}, folder / MEASURES)


def measure_start(vision: str, run: Path, folder: Path) -> None:
    """Write the linear probe of the vision encoder that a run started from, on that encoder's own embedding."""
    if not (folder / MEASURES).exists():
        recipe, processor = E2Recipe.read(run / "recipe.yaml"), E2Processor.from_pretrained(run / "last")
        model = make_model(replace(recipe.model, start_from_vision=vision), processor).eval()
        corpus, column_map, images = embed_splits(recipe, model, processor, embed_photos_before_projection)
        folder.mkdir(parents=True, exist_ok=True)
        write_json({"probe": probe(model, corpus, column_map, images)}, folder / MEASURES)


def embed_splits(
    recipe: E2Recipe, model: PreTrainedModel, processor: E2Processor, embed: Embed
) -> tuple[DatasetDict, ColumnMap, dict[str, dict[str, Any]]]:
    """Return the splits of a recipe, the rows that a probe is trained on in place of `train`, and their embeddings."""
    corpus, column_map, _ = load_data(recipe.data)
    photos = {
        name: cache_photos(recipe.data, split, column_map, processor.image_processor) for name, split in corpus.items()
    }
    accelerator = Accelerator()
    frozen = freeze_layers(accelerator, model, recipe.model.freeze_layers, photos)
    states = frozen_outputs(accelerator, frozen, photos, processor.image_processor)
    numbered = Dataset.from_dict({"row": range(len(corpus["train"]))})
    rows = {name: range(len(split)) for name, split in corpus.items()}
    rows["train"] = draw_rows(numbered, PROBE.max_train_rows, PROBE.seed)["row"]
    corpus["train"] = corpus["train"].select(rows["train"])
    return corpus, column_map, {name: embed(model, frozen, states[name], rows[name]) for name in corpus}


def embed_photos(model: PreTrainedModel, frozen: FrozenLayers, states: StateCache, rows) -> dict[str, Any]:
    """Return the image and region embeddings of the first photos of rows."""
    with frozen.skipped():
        return embed_batches(model, _batches(states, rows), "photos")


@torch.inference_mode()
def embed_photos_before_projection(model: PreTrainedModel, frozen: FrozenLayers, states: StateCache, rows):
    """Return the vision tower's own embeddings of the first photos of rows."""
    with frozen.skipped():
        outputs = [model.vision_model(**batch).pooler_output for batch in _batches(states, rows)]
    return {"image_embeds": torch.nn.functional.normalize(torch.cat(outputs), dim=-1)}


def _batches(states: StateCache, rows, size: int = 256) -> Iterator[dict[str, Tensor]]:
    for start in range(0, len(rows), size):
        photos = [torch.from_numpy(states.photo(row).copy()) for row in rows[start : start + size]]
        yield {"pixel_values": stack_states(photos)}


def probe(model: PreTrainedModel, corpus: DatasetDict, column_map: ColumnMap, images: dict) -> dict[str, float]:
    """Return the accuracy of linear probes of every entity, from image and region embeddings."""
    splits = (corpus["train"], corpus["validation"])
    return probe_entities(model, *splits, column_map, images["train"], images["validation"], PROBE)


def read_measures(folder: Path) -> dict[str, dict]:
    """Return what was measured of a run here; nothing if it was not."""
    path = folder / MEASURES
    return json.loads(path.read_text()) if path.exists() else {}
