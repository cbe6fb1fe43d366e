"""Compare kinds of search over a large gallery: build time, peak memory, disk, latency and recall.

    python benchmarks/gallery_index.py --products 50000
    python benchmarks/gallery_index.py --kinds exact IVF_RQ IVF_HNSW_SQ IVF_PQ IVF_FLAT HNSW32 IVF-PQ64

`exact` is the search in memory, `scan` the store's without an index, `HNSW32` and `IVF-PQ64` are FAISS, all others
LanceDB. FAISS is no dependency of hf_fashion; requirements.lock has it for Milvus Lite. Every kind builds and searches
in its own process; `made_vectors.py` makes the vectors.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from benchmarks.made_vectors import CHUNK, DIMENSION, FILTER, TOP_K, make_vectors
from benchmarks.runs import markdown
from hf_fashion.files import write_json
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance import index as lance_index


WARM_UP = 20
# Measured here, not offered by the library.
LANCE_KINDS = lance_index.KINDS | {"IVF_PQ": "IvfPq", "IVF_FLAT": "IvfFlat"}
LANCE = ("exact", "scan", *LANCE_KINDS)
FAISS = {"HNSW32": "HNSW32", "IVF-PQ64": "IVF{groups},PQ64"}
RESULTS = Path(__file__).parent / "results" / "gallery_index.json"

Search = Callable[[np.ndarray, bool], list[int]]  # query (d,), whether filtered -> rows


def make_gallery(folder: Path) -> None:
    """Make a gallery of the vectors, without an index."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    gallery = Gallery.create(folder / "gallery", {"image": DIMENSION}, pa.schema([("tenth", pa.int32())]))
    for start in range(0, len(vectors), CHUNK):
        part = torch.tensor(np.asarray(vectors[start : start + CHUNK]))
        rows = range(start, start + len(part))
        gallery.add([str(row) for row in rows], {"image": part}, {"tenth": [row % 10 for row in rows]})
    gallery.compact()


def lance(kind: str, folder: Path) -> tuple[Search, dict[str, float]]:
    """Return a gallery's search, and the cost of building it; `exact` reads the gallery into memory."""
    copy = folder / f"gallery-{kind}"
    shutil.copytree(folder / "gallery", copy)
    gallery_search.EXACT_SEARCH_LIMIT = sys.maxsize if kind == "exact" else 0
    gallery = Gallery.open(copy)
    start, before = time.perf_counter(), size(copy)

    def search(query: np.ndarray, filtered: bool) -> list[int]:
        condition = f"tenth = {FILTER}" if filtered else None
        return [int(name) for name in gallery.search(torch.tensor(query[None]), "image", TOP_K, condition).ids[0]]

    if kind == "exact":
        search(np.ones(DIMENSION, np.float32), False)
    else:
        torch.set_num_threads(1)  # idle threads of torch take LanceDB's cores: 2 ms a search
    if kind in LANCE_KINDS:
        lance_index.KINDS = LANCE_KINDS
        gallery.build_index(kind)
    return search, {"seconds": time.perf_counter() - start, "index_bytes": size(copy) - before}


def faiss_search(kind: str, folder: Path) -> tuple[Search, dict[str, float]]:
    """Return FAISS's search of the same vectors. It has no columns: it gets the filter as a bitmap."""
    import faiss

    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    groups = int(4 * len(vectors) ** 0.5)
    index = faiss.index_factory(DIMENSION, FAISS[kind].format(groups=groups), faiss.METRIC_INNER_PRODUCT)
    start = time.perf_counter()
    if not index.is_trained:
        chosen = np.random.default_rng(0).choice(len(vectors), min(len(vectors), 64 * groups), replace=False)
        index.train(vectors[np.sort(chosen)].astype(np.float32))
    for first in range(0, len(vectors), CHUNK):
        index.add(vectors[first : first + CHUNK].astype(np.float32))
    seconds = time.perf_counter() - start
    allowed = faiss.IDSelectorBitmap(np.packbits(np.arange(len(vectors)) % 10 == FILTER, bitorder="little"))
    parameters = faiss.SearchParametersHNSW if kind == "HNSW32" else faiss.SearchParametersIVF
    reach = {"efSearch": 128} if kind == "HNSW32" else {"nprobe": 32}

    def search(query: np.ndarray, filtered: bool) -> list[int]:
        chosen = parameters(**reach, sel=allowed) if filtered else parameters(**reach)
        return index.search(query[None], TOP_K, params=chosen)[1][0].tolist()

    faiss.write_index(index, str(folder / "faiss"))
    return search, {"seconds": seconds, "index_bytes": (folder / "faiss").stat().st_size}


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(kind: str, folder: Path) -> dict[str, float]:
    """Return the metrics of one kind, measured in this process."""
    search, metrics = (lance if kind in LANCE else faiss_search)(kind, folder)
    queries = np.load(folder / "queries.npy")
    for name in ("all", "filtered"):
        nearest = np.load(folder / f"{name}.npy").tolist()
        seconds, hits = [], []
        for number, query in enumerate(queries):
            start = time.perf_counter()
            found = search(query, name == "filtered")
            seconds.append(time.perf_counter() - start)
            hits.append(len({*found} & {*nearest[number]}) / TOP_K)
        cuts = statistics.quantiles(seconds[WARM_UP:], n=100)
        metrics |= {f"{name}_p50": cuts[49], f"{name}_p99": cuts[98], f"{name}_recall": statistics.mean(hits)}
    # getrusage would return the parent's where that was higher.
    return metrics | {"peak_bytes": process_bytes("VmHWM")}


def process_bytes(entry: str) -> int:
    """Return memory of this process, an entry of Linux' status: `VmRSS` is resident memory, `VmHWM` its peak."""
    return 1024 * int(Path("/proc/self/status").read_text().split(f"{entry}:")[1].split()[0])


def table(results: dict[str, dict[str, float]]) -> str:
    """Return the metrics as a Markdown table."""
    header = ["search", "build (s)", "peak memory (GiB)", "index on disk (GiB)", "p50 (ms)", "p99 (ms)", "recall@10"]
    header += ["filtered p50 (ms)", "filtered p99 (ms)", "filtered recall@10"]
    rows = [
        [kind, f"{one['seconds']:.1f}", f"{one['peak_bytes'] / 2**30:.2f}", f"{one['index_bytes'] / 2**30:.3f}"]
        + [
            cell
            for name in ("all", "filtered")
            for cell in (
                *(f"{1000 * one[f'{name}_{cut}']:.1f}" for cut in ("p50", "p99")),
                f"{one[f'{name}_recall']:.3f}",
            )
        ]
        for kind, one in results.items()
    ]
    return markdown(header, rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=220, help=f"the first {WARM_UP} are not timed")
    parser.add_argument("--kinds", nargs="+", choices=[*LANCE, *FAISS], default=[*LANCE, *FAISS])
    parser.add_argument("--folder", type=Path, default=Path(".cache/gallery-index"), help="for vectors and galleries")
    parser.add_argument("--measure", action="store_true", help="one kind, in this process; prints JSON")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    folder = arguments.folder / f"{arguments.products}-{arguments.queries}"
    if arguments.measure:
        print(json.dumps(measure(arguments.kinds[0], folder)))
        return
    if not (folder / "gallery").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make_vectors(folder, arguments.products, arguments.queries)
        make_gallery(folder)
    written = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = written.setdefault(str(arguments.products), {})
    for kind in arguments.kinds:
        command = [sys.executable, __file__, "--measure", "--kinds", kind, "--folder", str(arguments.folder)]
        command += ["--products", str(arguments.products), "--queries", str(arguments.queries)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        results[kind] = json.loads(printed.splitlines()[-1])
        shutil.rmtree(folder / f"gallery-{kind}", ignore_errors=True)
        write_json(written, RESULTS)
        print(table({kind: results[kind]}), flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
