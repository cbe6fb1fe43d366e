"""Measure the gain of batches in the pipeline: queries a CPU second one by one and 32 at a time, with and without FR.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/pipeline_batches.py

Texts, embedded by an E2 of tiny layers so that search and re-ranking dominate; a made gallery (`made_vectors.py`).
First it is checked that both ways return the same. CPU time is that of all threads of the process: unlike latency, it
can be compared on a busy machine.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.made_vectors import DIMENSION, make_vectors
from benchmarks.runs import markdown
from benchmarks.timing import interleaved
from hf_fashion import FashionRetrievalPipeline, FeatureReasoningConfig, FeatureReasoningModel, Gallery
from hf_fashion.embedding.fingerprint import model_fingerprint
from tests.tiny_e2 import tiny_model, tiny_processor


BATCH = 32


def make_searches(arguments: argparse.Namespace, folder: Path) -> dict[str, FashionRetrievalPipeline]:
    """Return the pipeline with and without FR, over one gallery."""
    model = tiny_model(projection_dim=DIMENSION)
    make_vectors(folder / "made", arguments.products, queries=1)
    vectors = torch.tensor(np.load(folder / "made" / "vectors.npy"))
    gallery = Gallery.create(folder / "gallery", {"image": DIMENSION}, fingerprint=model_fingerprint(model))
    gallery.add([str(row) for row in range(len(vectors))], {"image": vectors})
    torch.manual_seed(0)
    reasoning = FeatureReasoningModel(FeatureReasoningConfig(num_candidates=arguments.candidates))
    for update in (reasoning.query_update, reasoning.candidate_update):
        torch.nn.init.normal_(update.fc_out.weight, std=0.01)
    common = {"gallery": gallery, "processor": tiny_processor(), "device": "cpu"}
    return {
        name: FashionRetrievalPipeline(model, reranker=reranker, **common)
        for name, reranker in {"search": None, "search and FR": reasoning}.items()
    }


def ids_of(found: list[list[dict[str, Any]]]) -> list[list[str]]:
    return [[result["id"] for result in results] for results in found]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=100, help="that FR re-ranks")
    parser.add_argument("--queries", type=int, default=128, help="of a call")
    parser.add_argument("--rounds", type=int, default=7, help="calls of each that are counted")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    queries, rows = [f"a dress {number}" for number in range(arguments.queries)], []
    with tempfile.TemporaryDirectory() as folder:
        for name, search in make_searches(arguments, Path(folder)).items():
            calls = {str(batch): partial(search, queries, batch_size=batch) for batch in (1, BATCH)}
            single, batched = (ids_of(call()) for call in calls.values())
            equal = sum(map(list.__eq__, single, batched))
            seconds = interleaved(calls, arguments.rounds, warm_up=1, clock=time.process_time)
            rates = [len(queries) / value for value in seconds.values()]
            cells = [f"{rates[0]:.0f}", f"{rates[1]:.0f}", f"{rates[1] / rates[0]:.1f}"]
            rows.append([name, *cells, f"{equal} of {len(queries)}"])
    print(markdown(["what", "batch_size=1", f"batch_size={BATCH}", "ratio", "equal lists"], rows))
    print(f"{torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
