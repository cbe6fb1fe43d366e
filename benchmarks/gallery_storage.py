"""Measure the loss of attribute-specific search when a gallery keeps fewer bits of each vector.

    python benchmarks/gallery_storage.py

A kind of storage that learns does so from training photos. MAP is that of the validation photos, which the storage has
not seen; candidates are stored, queries are not.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoImageProcessor, AutoModel

import hf_fashion
from benchmarks.attribute_models import CORPORA, run_folder
from benchmarks.runs import markdown
from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_folds
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.attribute_corpus import embed_attributes, model_attribute_ids
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_metrics
from hf_fashion.files import write_json
from hf_fashion.retrieval.projection import principal_axes
from hf_fashion.retrieval.vector_column import Space


MEASURED = ("catalog-large", "generated")
TRAINING_PHOTOS = 5000
FULL_SIZE = 8 * 1024  # dimensions of a product: eight attributes
RESULTS = Path(__file__).parent / "results" / "gallery_storage.json"

SHARES = {"d/4": 1 / 4, "d/8": 1 / 8, "3d/32": 3 / 32, "d/16": 1 / 16}

Storage = Callable[[Tensor], Tensor]  # vectors (N, d) -> the stored vectors (N, d)


def eight_bits(vectors: Tensor) -> Tensor:
    """Quantise in 127 steps up to the largest value of each vector."""
    step = vectors.abs().amax(dim=1, keepdim=True) / 127
    return (vectors / step).round() * step


def one_bit(vectors: Tensor) -> Tensor:
    """Keep the signs after a random rotation, as in RaBitQ."""
    rotation = torch.linalg.qr(torch.randn(vectors.shape[1], vectors.shape[1], generator=torch.manual_seed(0)))[0]
    return (vectors @ rotation).sign() @ rotation.T


def in_gallery(axes: Tensor | None, dimension: int) -> Storage:
    """Store as a gallery with this many dimensions does, whole or along axes, in float16."""
    space = Space("attribute", "vector_0", dimension, axes)
    return lambda vectors: space.restored(
        space.from_column(pa.chunked_array([space.to_column(vectors, len(vectors))])).directions()
    )


def kinds(known: Tensor) -> dict[str, tuple[float, Storage]]:
    """Return name -> bits for each of d dimensions, and the storage, which may learn from known vectors (N, d)."""
    dimension = known.shape[1]
    whole = {"float32": (32, lambda vectors: vectors), "float16": (16, in_gallery(None, dimension))}
    whole |= {"int8": (8, eight_bits), "1 bit after a rotation": (1, one_bit)}
    for name, share in SHARES.items():
        axes = principal_axes(known, int(share * dimension))
        whole[f"{name} in float16"] = (16 * share, in_gallery(axes, dimension))
        whole[f"{name} in int8"] = (8 * share, lambda vectors, axes=axes: eight_bits(vectors @ axes) @ axes.T)
    return whole


def measure(corpus: str) -> dict[str, tuple[float, float]]:
    """Return kind -> bits for each dimension, MAP."""
    splits = hf_fashion.load_corpus(CORPORA[corpus]["corpus"])
    column_map = ColumnMap.shipped(CORPORA[corpus]["column_map"])
    model_folder = run_folder(f"{corpus}/asen", 0) / "last"
    model, processor = AutoModel.from_pretrained(model_folder).eval(), AutoImageProcessor.from_pretrained(model_folder)
    protocols = draw_folds(read_labels(splits["validation"], column_map))
    searches = attribute_searches(model, processor, splits["validation"], column_map, protocols)
    training_photos = splits["train"].select(range(TRAINING_PHOTOS))
    wanted = torch.ones(TRAINING_PHOTOS, len(searches), dtype=torch.bool)
    ids = model_attribute_ids(model, list(searches))
    known = embed_attributes(model, processor, training_photos, wanted, ids, column_map.image)
    by_attribute = {name: kinds(normalize(rows, dim=-1)) for name, rows in zip(searches, known, strict=True)}

    def stored(name: str, kind: str) -> list:
        storage = by_attribute[name][kind][1]
        return [replace(one, gallery_embeds=normalize(storage(one.gallery_embeds), dim=-1)) for one in searches[name]]

    return {
        kind: (bits, retrieval_metrics({name: stored(name, kind) for name in searches})["map"])
        for kind, (bits, _) in next(iter(by_attribute.values())).items()
    }


def table(results: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Return the metrics as a Markdown table, MAP in percent with its change against float32."""
    rows = [
        [kind, f"{bits:g}", f"{bits * FULL_SIZE / 8:,.0f}", f"1/{32 / bits:.3g}"]
        + [
            f"{100 * one[kind][1]:.1f} ({100 * (one[kind][1] / one['float32'][1] - 1):+.1f} %)"
            for one in results.values()
        ]
        for kind, (bits, _) in next(iter(results.values())).items()
    ]
    return markdown(["stored", "bits a dimension", "bytes, 8 x 1024", "of float32", *results], rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="only print the results file")
    return parser.parse_args()


def main() -> None:
    if not parse_arguments().table:
        write_json({corpus: measure(corpus) for corpus in MEASURED}, RESULTS)
    print(table(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
