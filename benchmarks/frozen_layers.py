"""Measure what an update of E2 costs in core-seconds: nothing frozen, frozen layers, and their outputs cached.

    python benchmarks/frozen_layers.py --dinov2 FOLDER --corpus ../shared/corpora/catalog-large

FOLDER is a `Dinov2Model` of transformers. The result is in `benchmarks/results/frozen_layers.json`.
"""

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch
from datasets import Dataset, load_dataset
from transformers import set_seed

from benchmarks.runs import markdown
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.files import write_json
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.e2.build import make_model, make_processor
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.step import FrozenStep


RESULTS = Path(__file__).parent / "results" / "frozen_layers.json"
RECIPE = Path(__file__).parent / "recipes" / "pretrained.yaml"
COLUMNS = ColumnMap.shipped("catalog")
FROZEN, BATCH = 8, 64


def make_start(split: Dataset, dinov2: Path) -> tuple[E2Processor, E2Model]:
    """Return processor and E2 on DINOv2, as `pretrained_e2.py` starts with them."""
    changes = [f"model.start_from_vision={dinov2}", f"model.config.first_selection_layer={FROZEN + 1}"]
    recipe = E2Recipe.read(RECIPE, [*changes, "model.config.fusion_layers=[12]"])
    processor = make_processor(recipe.model, split, COLUMNS)
    set_seed(0)
    return processor, make_model(recipe.model, processor)


def measure(processor: E2Processor, model: E2Model, split: Dataset, batches: int) -> dict[str, float]:
    """Return core-seconds of an update: with nothing frozen, with frozen layers, and with their outputs cached."""
    with tempfile.TemporaryDirectory() as folder:
        photos = PhotoCache.build(split, COLUMNS.image, processor.image_processor, Path(folder))
        products = ProductDataset(split, COLUMNS, photos, processor)
        batch = ProductCollator(processor, with_tags=True)(list(islice(products, BATCH)))
    model.train()
    frozen = FrozenLayers(model, FROZEN, batch["pixel_values"].shape[-2:])
    cached, step, found = batch | {"pixel_values": frozen.run(batch["pixel_values"])}, E2Step(), {}
    for name, chosen, inputs in (
        ("nothing frozen", step, batch),
        ("frozen, run again", step, batch),
        ("frozen, cached", FrozenStep(step, frozen), cached),
    ):
        if name != "nothing frozen":
            frozen.freeze()
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-6, fused=True)
        started = time.process_time()
        for _ in range(batches):
            chosen(model, model, inputs)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        found[name] = round((time.process_time() - started) / batches, 2)
    return found


def main() -> None:
    """Measure, write the result, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dinov2", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--batches", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    split = load_dataset("parquet", data_files=str(arguments.corpus / "train.parquet"))["train"].select(range(BATCH))
    found = measure(*make_start(split, arguments.dinov2), split, arguments.batches)
    write_json(found, RESULTS)
    print(markdown(list(found), [[str(seconds) for seconds in found.values()]]))


if __name__ == "__main__":
    main()
