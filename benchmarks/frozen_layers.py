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
from transformers import CLIPTextConfig, CLIPTextModel, Dinov2Model, set_seed
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from benchmarks.runs import markdown
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.data.products import ProductCollator, ProductDataset
from hf_fashion.data.tokenizer import train_tokenizer
from hf_fashion.files import write_json
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.e2.step import E2Step
from hf_fashion.training.frozen_layers.layers import FrozenLayers
from hf_fashion.training.frozen_layers.step import FrozenStep


RESULTS = Path(__file__).parent / "results" / "frozen_layers.json"
TAGS = {name: name for name in ("article_type", "brand", "season", "colour")}
SIZE, FROZEN, BATCH = 112, 8, 64


def make_start(split: Dataset, dinov2: Path) -> tuple[E2Processor, E2Model]:
    """Return processor and E2 on DINOv2, with an untrained text tower of CLIP's kind."""
    columns = split.remove_columns("image").to_dict()
    texts = [text for name in ("caption", *TAGS) for text in columns[name] if text]
    tokenizer = train_tokenizer(texts, vocab_size=4096, max_length=32)
    set_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=32,
        **{name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")},
    )
    settings = {"tag_entities": list(TAGS), "first_selection_layer": FROZEN + 1, "projection_dim": 256}
    model = E2Model.from_towers(Dinov2Model.from_pretrained(dinov2), CLIPTextModel(text), **settings)
    statistics = {"image_mean": IMAGENET_DEFAULT_MEAN, "image_std": IMAGENET_DEFAULT_STD}
    images = E2ImageProcessorPil(size={"height": SIZE, "width": SIZE}, do_center_crop=False, **statistics)
    return E2Processor(images, tokenizer, tag_entities=list(TAGS)), model


def measure(processor: E2Processor, model: E2Model, split: Dataset, batches: int) -> dict[str, float]:
    """Return core-seconds of an update: with nothing frozen, with frozen layers, and with their outputs cached."""
    with tempfile.TemporaryDirectory() as folder:
        photos = PhotoCache.build(split, "image", processor.image_processor, Path(folder))
        products = ProductDataset(split, ColumnMap(caption="caption", tags=TAGS), photos, processor)
        batch = ProductCollator(processor, with_tags=True)(list(islice(products, BATCH)))
    model.train()
    frozen = FrozenLayers(model, FROZEN, (SIZE, SIZE))
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
