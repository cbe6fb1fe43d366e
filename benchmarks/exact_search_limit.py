"""Find where search in memory and the store's are equally fast: milliseconds of a search by the number of products.

python benchmarks/exact_search_limit.py
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.made_vectors import CHUNK, DIMENSION, make_vectors
from benchmarks.runs import markdown
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import upkeep


BATCH = 32
ADDED = 300


def milliseconds(gallery: Gallery, queries: torch.Tensor, batch: int) -> float:
    """Return the median time of a search with `batch` queries, after three that are not counted."""
    times = []
    for start in range(len(queries) - batch + 1)[:12]:
        before = time.perf_counter()
        gallery.search(queries[start : start + batch], "image", 10)
        times.append(1000 * (time.perf_counter() - before))
    return statistics.median(times[3:])


def measure(products: int, folder: Path) -> tuple[Gallery, list[str]]:
    """Make an indexed gallery, and return a row of the table."""
    make_vectors(folder, products, BATCH + 12)
    vectors, queries = (torch.tensor(np.load(folder / f"{name}.npy")) for name in ("vectors", "queries"))
    gallery = Gallery.create(folder / "gallery", {"image": DIMENSION})
    for start, part in zip(range(0, products, CHUNK), vectors.split(CHUNK), strict=True):
        gallery.add([str(row) for row in range(start, start + len(part))], {"image": part})
    gallery_search.EXACT_SEARCH_LIMIT = products
    cells = [milliseconds(gallery, queries, batch) for batch in (1, BATCH)]
    gallery_search.EXACT_SEARCH_LIMIT = 0
    cells.append(milliseconds(gallery, queries, 1))
    gallery.build_index()
    cells += [milliseconds(gallery, queries, batch) for batch in (1, BATCH)]
    return gallery, [f"{products:,}", *(f"{cell:.1f}" for cell in cells)]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", nargs="+", type=int, default=[10_000, 25_000, 50_000, 100_000, 200_000])
    return parser.parse_args()


def main() -> None:
    upkeep.MAX_UNINDEXED = 10**9  # only `compact` adds rows to the index
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for products in parse_arguments().products:
            gallery, row = measure(products, Path(folder, str(products)))
            rows.append(row)
        header = ["products", "in memory", f"in memory, {BATCH}", "without index", "IVF_RQ", f"IVF_RQ, {BATCH}"]
        print(markdown(header, rows))
        queries = torch.tensor(np.load(Path(folder, str(products), "queries.npy")))
        for time_added in range(1, 13):
            gallery.add([f"{time_added}-{row}" for row in range(ADDED)], {"image": torch.randn(ADDED, DIMENSION)})
            gallery.compact()
            if time_added % 4 == 0:
                print(f"added to the index {time_added} times: {milliseconds(gallery, queries, 1):.1f}")


if __name__ == "__main__":
    main()
