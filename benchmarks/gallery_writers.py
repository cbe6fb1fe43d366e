"""Try to double or lose products: pairs of writers in one gallery, and kills of `Gallery.sync`.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/gallery_writers.py --pairs 100 --kills 100

Of three pairs one is two processes that add overlapping products, one two threads that do, one two processes that make
the gallery follow the same catalogue. A kill hits a process that makes the gallery follow the other of two catalogues,
at a moment drawn from the time that an undisturbed call takes; after each kill the gallery is checked, and after the
next whole call it must equal its catalogue. All processes are forked: none of them has imported LanceDB before.
"""

import argparse
import io
import multiprocessing
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset, Features, Image, Value, disable_progress_bars
from PIL import Image as PILImage
from tqdm.auto import tqdm
from transformers import ResNetConfig, set_seed
from transformers.utils import logging

from benchmarks.runs import markdown
from hf_fashion.files import write_json
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.retrieval.gallery import Gallery


RESULTS = Path(__file__).parent / "results" / "gallery_writers.json"
SPACES = {"image": 8}
METADATA = pa.schema([("writer", pa.int64())])
PRODUCTS = 100  # of a pair: the writers have 70 each, and share 40
FORK = multiprocessing.get_context("fork")


def add_all(gallery: Gallery, writer: int, seed: int) -> None:
    """Add a writer's products in random order and batches; their vectors and metadata tell the writer."""
    generator = random.Random(seed)
    numbers = list(range(70) if writer == 0 else range(30, PRODUCTS))
    generator.shuffle(numbers)
    while numbers:
        part = [numbers.pop() for _ in range(min(len(numbers), generator.randint(1, 12)))]
        vectors = torch.full((len(part), 8), 1.0)
        vectors[:, writer] = -1.0
        gallery.add([f"p{number}" for number in part], {"image": vectors}, {"writer": [writer] * len(part)})


def two_processes(place: Path, seed: int) -> list[str]:
    def write(writer: int) -> None:
        add_all(Gallery.open(place), writer, seed * 2 + writer)

    together(lambda: Gallery.create(place, SPACES, METADATA))
    return together(lambda: write(0), lambda: write(1)) + in_process(check_pair, place)


def two_threads(place: Path, seed: int) -> list[str]:
    def write() -> None:
        shared = Gallery.create(place, SPACES, METADATA)
        other = shared if seed % 2 else Gallery.open(place)
        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(add_all, each, n, seed * 2 + n) for n, each in enumerate([shared, other])]:
                done.result()

    return together(write) + in_process(check_pair, place)


def two_syncs(place: Path, seed: int) -> list[str]:
    before, after = catalogue(seed, 0), catalogue(seed, 1)
    faults = together(lambda: embed(place, before))
    faults += together(lambda: sync(place, after), lambda: sync(place, after))
    return faults + in_process(check_equal, place, after)


def check_pair(place: Path) -> list[str]:
    """Return what is wrong with a gallery that two writers have filled."""
    gallery = Gallery.open(place)
    rows = gallery.products().to_pylist()
    faults = faults_of_ids([row["id"] for row in rows], [f"p{number}" for number in range(PRODUCTS)])
    vectors = gallery.vectors([row["id"] for row in rows], "image")
    mixed = [row["id"] for row, vector in zip(rows, vectors, strict=True) if vector[row["writer"]] >= 0]
    return faults + [f"{product}: vector of one writer, metadata of the other" for product in mixed]


def catalogue(seed: int, version: int) -> Dataset:
    """Return the first or second version of a catalogue: products leave, come, and get other photos and prices."""
    generator = np.random.default_rng([seed, version])
    numbers = range(version * 8, 32 + version * 8)
    photos = [number + (1000 * version if number % 5 == 0 else 0) for number in numbers]
    columns = {
        "image": [{"bytes": jpeg(photo), "path": None} for photo in photos],
        "id": [f"p{number}" for number in numbers],
        "writer": [int(generator.integers(0, 3)) for _ in numbers],
    }
    return Dataset.from_dict(columns, features=Features(image=Image(), id=Value("string"), writer=Value("int64")))


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PILImage.fromarray(pixels).save(buffer, format="JPEG")
    return buffer.getvalue()


def model() -> tuple[AsenModel, AttributeImageProcessorPil]:
    set_seed(0)
    backbone = ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8, 8, 8], depths=[1] * 4, layer_type="basic", out_features=["stage3"]
    )
    config = AsenConfig(
        attribute_names=["neckline"],
        attribute_values={"neckline": ["v", "round"]},
        backbone_config=backbone,
        image_size=32,
        attention_dim=8,
        attribute_dim=6,
        embedding_dim=10,
    )
    size = {"height": 32, "width": 32}
    return AsenModel(config).eval(), AttributeImageProcessorPil(size={"shortest_edge": 32}, crop_size=size)


def embed(place: Path, dataset: Dataset) -> None:
    options = {"id_column": "id", "metadata_columns": ["writer"], "batch_size": 4, "progress": False}
    Gallery.from_dataset(dataset, *model(), uri=place, **options)


def sync(place: Path, dataset: Dataset) -> None:
    options = {"id_column": "id", "batch_size": 2, "progress": False, "delete_missing": True}
    Gallery.open(place).sync(dataset, *model(), **options)


def products_of(place: Path) -> dict[str, tuple[dict[str, Any], torch.Tensor]]:
    """Return row and vector of each product."""
    gallery = Gallery.open(place)
    rows = gallery.products().to_pylist()
    vectors = gallery.vectors([row["id"] for row in rows], "neckline")
    return {row["id"]: (row, vector) for row, vector in zip(rows, vectors, strict=True)}


def expected(dataset: Dataset) -> dict[str, tuple[dict[str, Any], torch.Tensor]]:
    """Return the same of a gallery that was made of the dataset undisturbed."""
    with tempfile.TemporaryDirectory() as folder:
        embed(Path(folder, "gallery"), dataset)
        return products_of(Path(folder, "gallery"))


def check_equal(place: Path, dataset: Dataset) -> list[str]:
    """Return where a gallery differs from its catalogue."""
    found, wanted = products_of(place), expected(dataset)
    faults = faults_of_ids(Gallery.open(place).ids(), list(wanted))
    return faults + [
        f"{key} is another product" for key in wanted.keys() & found if not is_one_of(found[key], [wanted[key]])
    ]


def check_between(place: Path, before: Dataset, after: Dataset) -> list[str]:
    """Return what is wrong with a gallery between two versions of its catalogue. A product may have the new metadata
    and still the old photo, whose hash then says so."""
    sides = [expected(before), expected(after)]
    found, ids = products_of(place), Gallery.open(place).ids()
    faults = faults_of_ids(ids, [*sides[0].keys() & sides[1].keys(), *found])
    for key, (row, vector) in found.items():
        here = [side[key] for side in sides if key in side]
        states = [(photo | {"writer": other["writer"]}, stored) for photo, stored in here for other, _ in here]
        if not is_one_of((row, vector), states):
            faults.append(f"{key} is neither the old nor the new product")
    return faults


def is_one_of(product: tuple[dict, torch.Tensor], others: list[tuple[dict, torch.Tensor]]) -> bool:
    return any(product[0] == row and torch.allclose(product[1], vector, atol=2e-3) for row, vector in others)


def faults_of_ids(found: list[str], wanted: list[str]) -> list[str]:
    counts = Counter(found)
    doubled = [f"{key} is doubled" for key, count in counts.items() if count > 1]
    lost = [f"{key} is lost" for key in set(wanted) - set(counts)]
    return doubled + lost + [f"{key} is left over" for key in set(counts) - set(wanted)]


def together(*functions: Callable[[], Any]) -> list[str]:
    """Run functions at the same time, each in its own process; return those that failed."""
    processes = [FORK.Process(target=function) for function in functions]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [f"a writer ended with {process.exitcode}" for process in processes if process.exitcode]


def in_process(function: Callable[..., list[str]], *arguments: Any) -> list[str]:
    """Return what a function returns in a process of its own; an error is a fault too."""
    here, there = FORK.Pipe(duplex=False)

    def call() -> None:
        try:
            there.send(function(*arguments))
        except Exception as error:
            there.send([f"{type(error).__name__}: {error}"])

    together(call)
    return here.recv()


def kill_sync(place: Path, dataset: Dataset, seconds: float) -> bool:
    """Kill a call of `Gallery.sync` after some seconds; return whether it had not ended before."""
    process = FORK.Process(target=sync, args=(place, dataset))
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def run_pairs(number: int, folder: Path) -> list[dict[str, Any]]:
    """Try pairs of writers; return a row for each kind."""
    kinds = {"two processes add": two_processes, "two threads add": two_threads, "two processes sync": two_syncs}
    rows = {name: {"test": name, "tries": 0, "faults": []} for name in kinds}
    for seed in tqdm(range(number), desc="pairs"):
        name = list(kinds)[seed % len(kinds)]
        place = folder / f"pair-{seed}"
        rows[name]["tries"] += 1
        rows[name]["faults"] += kinds[name](place, seed)
        shutil.rmtree(place)
    return list(rows.values())


def run_kills(number: int, folder: Path, seed: int) -> dict[str, Any]:
    """Kill `Gallery.sync` until as many calls as asked for had not ended; return the row."""
    generator, place = random.Random(seed), folder / "killed"
    versions = [catalogue(seed, 0), catalogue(seed, 1)]
    together(lambda: embed(place, versions[0]))
    start = time.perf_counter()
    together(lambda: sync(place, versions[1]))
    undisturbed, faults, killed, ended = time.perf_counter() - start, [], 0, 0
    with tqdm(total=number, desc="kills") as bar:
        before, after = versions[1], versions[0]
        while killed < number:
            if not kill_sync(place, after, generator.uniform(0, undisturbed)):
                ended += 1
                before, after = after, before
                continue
            killed += 1
            bar.update()
            faults += in_process(check_between, place, before, after)
            if generator.random() < 0.5:  # else the next kill hits the same change again
                faults += together(lambda target=after: sync(place, target)) + in_process(check_equal, place, after)
                before, after = after, before
    return {"test": "sync killed", "tries": killed, "faults": faults, "ended_before": ended}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    disable_progress_bars()
    torch.set_num_threads(1)  # a forked process cannot use the threads of its parent
    with tempfile.TemporaryDirectory() as folder:
        rows = [*run_pairs(arguments.pairs, Path(folder)), run_kills(arguments.kills, Path(folder), arguments.seed)]
    write_json({"arguments": vars(arguments), "rows": rows}, RESULTS)
    counts = [[row["test"], str(row["tries"]), str(len(row["faults"]))] for row in rows]
    print(markdown(["test", "tries", "products doubled, lost or mixed"], counts))


if __name__ == "__main__":
    main()
