"""Change a gallery for a long time: files and bytes on disk, milliseconds of a change, and products that pages miss.

    python benchmarks/gallery_upkeep.py
    python benchmarks/gallery_upkeep.py --name before   # with PYTHONPATH at another checkout
    python benchmarks/gallery_upkeep.py --table

Made vectors of 64 dimensions, seed 0, one thread.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import torch

from benchmarks.runs import markdown
from hf_fashion.files import write_json
from hf_fashion.retrieval.gallery import Gallery


DIMENSION = 64
PRODUCTS, LARGE = 1000, 100_500  # the second is searched by the store
TWINS, PAGE = 200, 5
RESULTS = Path(__file__).parent / "results" / "gallery_upkeep.json"


def make_gallery(folder: Path, products: int) -> Gallery:
    """Make a gallery of some products."""
    gallery = Gallery.create(folder / "gallery", {"image": DIMENSION}, pa.schema([("price", pa.float64())]))
    add(gallery, range(products))
    gallery.compact()
    return gallery


def add(gallery: Gallery, rows: range, vectors: torch.Tensor | None = None) -> None:
    """Add products of these numbers, or replace them."""
    vectors = torch.randn(len(rows), DIMENSION) if vectors is None else vectors
    gallery.add([f"{row:06d}" for row in rows], {"image": vectors}, {"price": [float(row) for row in rows]})


def disk(folder: Path) -> tuple[int, int]:
    """Return the number of files in a folder, and their bytes."""
    sizes = [os.path.getsize(Path(where, name)) for where, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)


def timed(call: Callable[[int], object], times: int) -> list[float]:
    """Return the milliseconds of each of several calls."""
    found = []
    for number in range(times):
        start = time.perf_counter()
        call(number)
        found.append(1000 * (time.perf_counter() - start))
    return found


def refreshes(folder: Path) -> dict[str, float]:
    """Replace all products 60 times."""
    gallery = make_gallery(folder, PRODUCTS)
    before = disk(folder)[1]
    most = before
    for _ in range(60):
        add(gallery, range(PRODUCTS))
        most = max(most, disk(folder)[1])
    return {"60 full refreshes: bytes at most, times those at first": most / before}


def pairs(folder: Path) -> dict[str, float]:
    """Add and delete a product 300 times."""
    gallery = make_gallery(folder, PRODUCTS)
    for _ in range(300):
        add(gallery, range(PRODUCTS, PRODUCTS + 1))
        gallery.delete([f"{PRODUCTS:06d}"])
    return {"300 pairs of add and delete: files": disk(folder)[0]}


def deletes(folder: Path) -> dict[str, float]:
    """Delete 1,500 products one by one."""
    gallery = make_gallery(folder, 3 * PRODUCTS)
    taken = timed(lambda row: gallery.delete([f"{row:06d}"]), 1500)
    return {
        "1,500 deletes: files": disk(folder)[0],
        "1,500 deletes: ms, median of the first 100": statistics.median(taken[:100]),
        "1,500 deletes: ms, median of the last 100": statistics.median(taken[-100:]),
    }


def upserts(folder: Path) -> dict[str, float]:
    """Replace single products, each change followed by a search with a filter."""
    gallery = make_gallery(folder, PRODUCTS)
    query = torch.randn(1, DIMENSION)

    def change(number: int) -> None:
        add(gallery, range(number, number + 1))
        gallery.search(query, "image", 10, "price > 500")

    taken = timed(change, 500)
    by_hundred = [statistics.median(taken[start : start + 50]) for start in range(0, 500, 50)]
    return {
        "upsert and filtered search: ms, median of the first 50": by_hundred[0],
        "upsert and filtered search: ms, median of the slowest 50": max(by_hundred),
        "upsert and filtered search: ms, mean of 500": statistics.mean(taken),
    }


def pages(folder: Path) -> dict[str, float]:
    """Read a list of equal products in pages, before and after an index is built."""
    vectors = torch.randn(LARGE, DIMENSION)
    twins = torch.randperm(LARGE)[:TWINS]
    vectors[twins] = vectors[twins[0]].clone()
    gallery = Gallery.create(folder / "gallery", {"image": DIMENSION}, pa.schema([("price", pa.float64())]))
    for start in range(0, LARGE, 10_000):
        rows = range(start, min(start + 10_000, LARGE))
        add(gallery, rows, vectors[rows.start : rows.stop])
    queries = vectors[twins[:1]] + 0.3 * torch.randn(1, DIMENSION)
    wanted = {f"{row:06d}" for row in twins.tolist()}
    missed = {"without an index": _missed(gallery, queries, wanted)}
    gallery.build_index()
    missed["with IVF_RQ"] = _missed(gallery, queries, wanted)
    return {f"{TWINS} equal products in pages of {PAGE}, {kind}: missed": number for kind, number in missed.items()}


def _missed(gallery: Gallery, query: torch.Tensor, wanted: set[str]) -> int:
    ends = range(PAGE, len(wanted) + 1, PAGE)
    seen = {name for end in ends for name in gallery.search(query, "image", end).ids[0][-PAGE:]}
    return len(wanted - seen)


def measure() -> dict[str, float]:
    """Return all metrics, each of a gallery of its own."""
    torch.set_num_threads(1)
    found = {}
    for part in (refreshes, pairs, deletes, upserts, pages):
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            found |= part(Path(folder))
    return found


def table(results: dict[str, dict[str, float]]) -> str:
    """Return the metrics as a Markdown table, a column for each name."""
    rows = [[what, *(f"{one[what]:.4g}" for one in results.values())] for what in next(iter(results.values()))]
    return markdown(["", *results], rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="now", help="column of the table")
    parser.add_argument("--table", action="store_true", help="only print the results file")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not arguments.table:
        results[arguments.name] = measure()
        write_json(results, RESULTS)
    print(table(results))


if __name__ == "__main__":
    main()
