"""Measure the size of a gallery of eight attributes of 1,024 dimensions, whole and along fewer axes.

    python benchmarks/gallery_size.py

Made vectors (`made_vectors.py`). Bytes on disk are those of all files of the gallery, including ids and axes; bytes in
memory are those in use after searches of all eight spaces.
"""

import argparse
import ctypes
import gc
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from benchmarks.gallery_index import process_bytes, size
from benchmarks.made_vectors import TOP_K, drawn
from benchmarks.runs import markdown
from hf_fashion.files import write_json
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.ingestion.learn_axes import SAMPLED_PHOTOS
from hf_fashion.retrieval.projection import principal_axes


DIMENSION = 1024
SPACES = {f"attribute {number}": DIMENSION for number in range(8)}
FLOAT32 = 4 * DIMENSION * len(SPACES)  # bytes of a product
KEPT = (1024, 128, 96)
BATCH = 5000
RESULTS = Path(__file__).parent / "results" / "gallery_size.json"


def filled(folder: Path, products: int, kept: int) -> Gallery:
    """Return a gallery of made products."""
    draws = {space: drawn(DIMENSION, products, seed) for seed, space in enumerate(SPACES)}
    axes = {space: principal_axes(draw(SAMPLED_PHOTOS), kept) for space, draw in draws.items() if kept < DIMENSION}
    gallery = Gallery.create(folder, SPACES, axes=axes)
    for start in range(0, products, BATCH):
        names = [f"product-{number}" for number in range(start, min(start + BATCH, products))]
        gallery.add(names, {space: draw(len(names)) for space, draw in draws.items()})
    gallery.compact()
    return gallery


def resident_bytes() -> int:
    """Return the memory of this process, without buffers that libraries keep."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)
    return process_bytes("VmRSS")


def measure(products: int, kept: int) -> dict[str, float]:
    """Return the metrics of a gallery that keeps this many numbers of each vector."""
    with TemporaryDirectory() as folder:
        gallery = filled(Path(folder), products, kept)
        metrics = {"disk": size(Path(folder)) / products}
        query = drawn(DIMENSION, products, 0)(1)
        gallery_search.EXACT_SEARCH_LIMIT = sys.maxsize
        before = resident_bytes()
        for space in SPACES:
            gallery.search(query, space, TOP_K)
        metrics["memory"] = (resident_bytes() - before) / products
        gallery_search.EXACT_SEARCH_LIMIT = 0
        gallery.build_index()
        return metrics | {"indexed_disk": size(Path(folder)) / products}


def table(results: dict[str, dict[str, float]]) -> str:
    """Return the metrics as a Markdown table."""

    def cell(bytes_each: float) -> str:
        return f"{bytes_each:,.0f} (1/{FLOAT32 / bytes_each:.1f})"

    header = ["kept of 1,024", "on disk", "on disk, with IVF_RQ", "in memory"]
    rows = [[kept, *(cell(one[name]) for name in ("disk", "indexed_disk", "memory"))] for kept, one in results.items()]
    return markdown(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=50_000)
    products = parser.parse_args().products
    results = {str(kept): measure(products, kept) for kept in KEPT}
    write_json({"products": products, "kept": results}, RESULTS)
    print(table(json.loads(RESULTS.read_text())["kept"]))


if __name__ == "__main__":
    main()
