"""What attribute-specific search loses when a gallery keeps fewer bits of each vector.

    python benchmarks/gallery_storage.py

Whatever a kind of storage learns, it learns from training photos, and MAP is that of the validation photos, whose
candidates are stored and whose queries are not. The candidates are photos that the storage has not seen.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoImageProcessor, AutoModel

import hf_fashion
from benchmarks.attribute_models import CORPORA, run_folder
from benchmarks.runs import markdown
from hf_fashion.data.attribute_labels import read_labels
from hf_fashion.data.attribute_protocol import draw_folds
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.evaluation.attribute_inputs import embed_attributes, model_attribute_ids
from hf_fashion.evaluation.attribute_retrieval import attribute_searches, retrieval_figures
from hf_fashion.files import write_json


MEASURED = ("catalog-large", "generated")
TRAINING_PHOTOS = 5000
FULL_SIZE = 8 * 1024  # dimensions of a product: eight attributes
RESULTS = Path(__file__).parent / "results" / "gallery_storage.json"

Storage = Callable[[Tensor], Tensor]  # vectors (N, d) -> what is left of them (N, d)


def eight_bits(vectors: Tensor) -> Tensor:
    """127 steps up to the largest value of each vector."""
    step = vectors.abs().amax(dim=1, keepdim=True) / 127
    return (vectors / step).round() * step


def one_bit(vectors: Tensor) -> Tensor:
    """Signs after a random rotation, as in RaBitQ."""
    rotation = torch.linalg.qr(torch.randn(vectors.shape[1], vectors.shape[1], generator=torch.manual_seed(0)))[0]
    return (vectors @ rotation).sign() @ rotation.T


def in_fewer_dimensions(known: Tensor, share: int, rounded: Storage) -> Storage:
    """Keeps d / `share` dimensions, those in which known vectors lie, about the origin."""
    axes = torch.linalg.eigh(known.T @ known).eigenvectors.flip(1)[:, : known.shape[1] // share]
    return lambda vectors: rounded(vectors @ axes) @ axes.T


def kinds(known: Tensor) -> dict[str, tuple[float, Storage]]:
    """Name -> bits for each of d dimensions, and the storage, which may learn from known vectors (N, d)."""
    half = lambda vectors: vectors.half().float()  # noqa: E731
    whole = {"float32": (32, lambda vectors: vectors), "float16": (16, half)}
    whole |= {"int8": (8, eight_bits), "1 bit after a rotation": (1, one_bit)}
    for share in (4, 8, 16):
        for name, bits, rounded in (("float16", 16, half), ("int8", 8, eight_bits)):
            whole[f"d/{share} in {name}"] = (bits / share, in_fewer_dimensions(known, share, rounded))
    return whole


def measure(corpus: str) -> dict[str, tuple[float, float]]:
    """Kind -> bits for each dimension, MAP."""
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
        kind: (bits, retrieval_figures({name: stored(name, kind) for name in searches})["map"])
        for kind, (bits, _) in next(iter(by_attribute.values())).items()
    }


def table(results: dict[str, dict[str, tuple[float, float]]]) -> str:
    """The figures as Markdown, MAP in percent with its change against float32."""
    rows = [
        [kind, f"{bits:g}", f"{bits * FULL_SIZE / 8:,.0f}", f"1/{32 / bits:g}"]
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
