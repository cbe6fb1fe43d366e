"""What every process of the tests in `test_processes.py` runs: it embeds, and writes down how it ended.

    torchrun ... tests/retrieval/ingestion/embed_in_processes.py FOLDER SCENARIO ...

`FOLDER/SCENARIO.RANK.json` gets the error, or the ids of the gallery that `from_dataset` returned; `FOLDER/stderr.1`
what the second process prints.
"""

import json
import os
import signal
import sys
from pathlib import Path

from datasets import Image, load_from_disk
from transformers import AutoModel, AutoProcessor

from hf_fashion.embedding.encoder import Encoder
from hf_fashion.models.e2.configuration_e2 import E2Config
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.stores.lance.store import LanceStore


RANK = int(os.environ["RANK"])
FOLDER = Path(sys.argv[1])


def damaged(dataset, broken: int):
    """The dataset with one photo that cannot be read."""

    def damage(row, number):
        return row | {"image": {"bytes": b"no photo", "path": None}} if number == broken else row

    return dataset.cast_column("image", Image(decode=False)).map(damage, with_indices=True)


def calls_until(function, number: int, then):
    """`function`, but the call of this number does `then` first."""
    count = 0

    def counted(*arguments, **keywords):
        nonlocal count
        count += 1
        if count == number:
            then()
        return function(*arguments, **keywords)

    return counted


def full():
    raise OSError("no room for another batch")


def out_of_memory():
    raise MemoryError("no room for another photo")


def wrong_configuration():
    E2Config(tokens_per_entity="two")


def end():
    os.kill(os.getpid(), signal.SIGKILL)


def forbid_writing():
    def written(*_, **__):
        raise AssertionError(f"process {RANK} writes")

    for name in ("create", "upsert", "delete", "compact", "build_index"):
        setattr(LanceStore, name, written)


def run(scenario: str, model, processor) -> list[str]:
    """Embeds as the scenario says."""
    dataset = load_from_disk(FOLDER / "products")
    arguments = {"id_column": "id", "metadata_columns": ["brand"], "batch_size": 4}
    upsert, embed = LanceStore.upsert, Encoder.embed_photos
    if scenario == "unreadable":
        dataset = damaged(dataset, 13)  # in batch 3, the second process's second
    if scenario == "disk_full" and RANK == 0:
        LanceStore.upsert = calls_until(upsert, 3, full)
    if scenario == "last_commit" and RANK == 0:
        LanceStore.upsert = calls_until(upsert, 5, full)
    if scenario == "out_of_memory" and RANK == 1:
        Encoder.embed_photos = calls_until(embed, 2, out_of_memory)  # the first call finds the dimension out
    if scenario == "wrong_type" and RANK == 1:
        Encoder.embed_photos = calls_until(embed, 2, wrong_configuration)
    if scenario == "few_dimensions":
        arguments["dimensions"] = 5
    if scenario == "sharded":
        dataset = dataset.shard(2, RANK)
    if scenario == "no_column" and RANK == 1:
        arguments["metadata_columns"] = ["price"]
    if scenario == "killed_second" and RANK == 1:
        Encoder.embed_photos = calls_until(embed, 3, end)
    if scenario == "killed_main" and RANK == 0:
        LanceStore.upsert = calls_until(upsert, 2, end)
    gallery = "killed" if scenario.startswith("killed") else scenario
    try:
        return sorted(Gallery.from_dataset(dataset, model, processor, uri=FOLDER / gallery, **arguments).ids())
    finally:
        LanceStore.upsert, Encoder.embed_photos = upsert, embed


def main() -> None:
    model, processor = AutoModel.from_pretrained(FOLDER / "model"), AutoProcessor.from_pretrained(FOLDER / "model")
    if RANK > 0:
        forbid_writing()
        sys.stderr = (FOLDER / f"stderr.{RANK}").open("w")
    for scenario in sys.argv[2:]:
        try:
            outcome = {"ids": run(scenario, model, processor)}
        except Exception as error:
            outcome = {"kind": type(error).__name__, "error": str(error)}
        (FOLDER / f"{scenario}.{RANK}.json").write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
