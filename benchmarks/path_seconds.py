"""Measure the paths that every user takes: start, embedding, a training step, a gallery, search and re-ranking.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/path_seconds.py

Prints the seconds of the processor of each path, medians of some calls, as JSON: `since_commit.py` compares them.
Models have random weights and the papers' sizes; searches go over made vectors, with an E2 of tiny layers.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

import hf_fashion
from benchmarks.made_vectors import DIMENSION, make_vectors
from benchmarks.timing import interleaved
from hf_fashion import (
    AsenConfig,
    AsenModel,
    E2Config,
    E2Model,
    FashionRetrievalPipeline,
    FeatureReasoningConfig,
    FeatureReasoningModel,
    Gallery,
    IpadConfig,
    IpadModel,
)
from hf_fashion.embedding.fingerprint import model_fingerprint
from hf_fashion.losses.e2 import e2_losses
from tests.tiny_e2 import tiny_model, tiny_processor


PRODUCTS, QUERIES, CANDIDATES, END = 20_000, 128, 100, 49407
TEXT = {"eos_token_id": END, "bos_token_id": END - 1}


def median_seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """Return the median seconds of the processor; the first call is not counted."""
    return interleaved({"call": call}, rounds, warm_up=1, clock=time.process_time)["call"]


def token_ids(*shape: int) -> torch.Tensor:
    """Return ids of made texts that end as CLIP's do."""
    ids = torch.randint(40_000, shape)
    ids[..., -1] = END
    return ids


@torch.inference_mode()
def embedding_seconds() -> dict[str, float]:
    """Measure the embedding of four photos, one attribute each for attribute models, and of sixteen texts."""
    pixels, attribute_ids = torch.randn(4, 3, 224, 224), torch.zeros(4, 1, dtype=torch.long)
    sources = {"source_pixel_values": torch.randn(4, 3, 320, 240), "source_sizes": torch.tensor([[320, 240]] * 4)}
    names = {"attribute_names": ["neckline", "pattern"]}
    e2, asen, ipad = (
        E2Model(E2Config(text_config=TEXT)),
        AsenModel(AsenConfig(**names)),
        IpadModel(IpadConfig(**names)),
    )
    calls = {
        "E2, four photos": partial(e2.eval().get_image_features, pixels),
        "E2, sixteen texts": partial(e2.get_text_features, token_ids(16, 16)),
        "ASEN, four photos": partial(asen.eval().get_attribute_features, pixels, attribute_ids),
        "IPAD, four photos": partial(ipad.eval(), pixels, attribute_ids, **sources),
    }
    return {name: median_seconds(call) for name, call in calls.items()}


def step(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> None:
    """Run a training step of E2 without the update."""
    outputs = model(**inputs)
    regions = (outputs.region_embeds, outputs.tag_embeds, inputs["tag_ids"])
    sum(e2_losses(outputs.image_embeds, outputs.text_embeds, model.logit_scale.exp(), *regions).values()).backward()


def training_seconds() -> dict[str, float]:
    """Measure a step of E2, ViT-B/32, with four products of four tags."""
    inputs = {"pixel_values": torch.randn(4, 3, 224, 224), "input_ids": token_ids(4, 32)}
    inputs |= {"tag_input_ids": token_ids(4, 4, 5), "tag_ids": torch.arange(4)[:, None].expand(4, 4)}
    model = E2Model(E2Config(text_config=TEXT)).train()
    return {"E2, training step": median_seconds(partial(step, model, inputs))}


def gallery_seconds(folder: Path) -> dict[str, float]:
    """Measure a gallery's building, and texts that search it, with and without FR."""
    model = tiny_model(projection_dim=DIMENSION)
    make_vectors(folder / "made", PRODUCTS, queries=1)
    vectors, numbers = torch.tensor(np.load(folder / "made" / "vectors.npy")), iter(range(PRODUCTS))

    def build() -> Gallery:
        path = folder / f"gallery-{next(numbers)}"
        gallery = Gallery.create(path, {"image": DIMENSION}, fingerprint=model_fingerprint(model))
        gallery.add([str(row) for row in range(len(vectors))], {"image": vectors})
        return gallery

    reasoning = FeatureReasoningModel(FeatureReasoningConfig(num_candidates=CANDIDATES))
    common = {"gallery": build(), "processor": tiny_processor(), "device": "cpu"}
    queries = [f"a dress {number}" for number in range(QUERIES)]
    seconds = {"gallery, 20,000 products": median_seconds(build)}
    for name, reranker in {"search, 128 texts": None, "search and FR, 128 texts": reasoning}.items():
        search = FashionRetrievalPipeline(model, reranker=reranker, **common)
        seconds[f"{name} at once"] = median_seconds(partial(search, queries, batch_size=32))
        seconds[f"{name} one by one"] = median_seconds(partial(search, queries, batch_size=1))
    return seconds


def main() -> None:
    """Print where the package lies, and the seconds of each path."""
    start = {"start, with all that is imported here": time.process_time()}
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        seconds = start | embedding_seconds() | training_seconds() | gallery_seconds(Path(folder))
    json.dump({"package": str(Path(hf_fashion.__file__).parent), "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    main()
