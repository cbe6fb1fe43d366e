"""Measure the memory and time of reading large photos: peak of a process that prepares a batch of them.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/photo_memory.py

The photos are made on the spot: JPEGs of 24 megapixels (soft noise, quality 90), and PNGs of one bit of 9000x9000,
which have 10 KB. Each row runs in a process of its own, whose peak it prints, everything that is imported included;
"photos of a batch together" is how it was done before.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from datasets import Dataset, Features, Image, Value
from PIL import Image as PILImage

from benchmarks.runs import markdown
from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.images import open_photo
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.retrieval.ingestion import prefetch
from hf_fashion.retrieval.ingestion.catalogue import Catalogue
from tests.tiny_e2 import tiny_config


SIZE = (6000, 4000)
BATCH = 64
AS_THE_COMMAND = os.environ | {"PILLOW_BLOCK_SIZE": "64m"}  # as `hf-fashion` sets it
MADE = 4  # different photos; they come again and again


def make_photos(folder: Path) -> None:
    """Write the photos: `lying` ones are turned by their EXIF data."""
    for number in range(MADE):
        noise = np.random.default_rng(number).integers(0, 256, (SIZE[1] // 10, SIZE[0] // 10, 3), dtype=np.uint8)
        photo = PILImage.fromarray(noise).resize(SIZE, PILImage.Resampling.BICUBIC)
        exif = PILImage.Exif()
        photo.save(folder / f"photo-{number}.jpg", quality=90)
        exif[0x0112] = 6
        photo.save(folder / f"lying-{number}.jpg", quality=90, exif=exif)
        PILImage.new("1", (9000, 9000), number % 2).save(folder / f"bit-{number}.png")


def encoder_of(image_processor) -> Encoder:
    """Return a tiny E2 of 224 pixels with an image processor of full size."""
    config = tiny_config()
    config.vision_config.image_size, config.vision_config.patch_size = 224, 32
    return Encoder(E2Model(config), image_processor)


def catalogue_of(folder: Path, kind: str, count: int) -> Dataset:
    """Return a dataset of photos of a kind."""
    files = sorted(folder.glob(f"{kind}-*"))
    rows = {"id": [str(row) for row in range(count)], "image": [str(files[row % MADE]) for row in range(count)]}
    return Dataset.from_dict(rows, features=Features(id=Value("string"), image=Image()))


def fill_gallery(folder: Path, kind: str, threads: int) -> None:
    """Decode, prepare and embed a batch a thread, as `hf-fashion embed` does."""
    prefetch.DECODING_THREADS = threads
    catalogue = Catalogue(catalogue_of(folder, kind, 2 * BATCH), "id", "image", [])
    batches = prefetch.in_batches(range(2 * BATCH), 2 * BATCH // threads)
    for _ in prefetch.embedded_batches(encoder_of(E2ImageProcessorPil()), catalogue, batches):
        pass


def encode(folder: Path, image_processor, count: int, kind: str = "photo") -> None:
    """Prepare a batch, as `Encoder.encode` does."""
    files = sorted(folder.glob(f"{kind}-*"))
    encoder_of(image_processor).prepare_photos(open_photo(files[row % MADE]) for row in range(count))


def all_together(folder: Path, count: int) -> None:
    """Decode a batch, then prepare it: as before."""
    files = sorted(folder.glob("photo-*"))
    E2ImageProcessorPil()([open_photo(files[row % MADE]) for row in range(count)], return_tensors="pt")


def cache(folder: Path) -> None:
    """Resize the photos of a batch for training."""
    PhotoCache.build(catalogue_of(folder, "photo", BATCH), "image", E2ImageProcessorPil(), folder / "cache")


# Name -> photos that are read, and what reads them.
ROWS: dict[str, tuple[int, Callable[[Path], None]]] = {
    "nothing, only imports": (0, lambda folder: None),
    "photos of a batch together": (BATCH, lambda folder: all_together(folder, BATCH)),
    "Encoder, E2": (BATCH, lambda folder: encode(folder, E2ImageProcessorPil(), BATCH)),
    "Encoder, ASEN++ (512 px too)": (
        BATCH,
        lambda folder: encode(folder, AttributeImageProcessorPil(do_source=True), BATCH),
    ),
    "gallery, 2 threads": (2 * BATCH, lambda folder: fill_gallery(folder, "photo", 2)),
    "gallery, 2 threads, photos turned by EXIF": (2 * BATCH, lambda folder: fill_gallery(folder, "lying", 2)),
    "gallery, 4 threads": (2 * BATCH, lambda folder: fill_gallery(folder, "photo", 4)),
    "gallery, 4 threads, photos turned by EXIF": (2 * BATCH, lambda folder: fill_gallery(folder, "lying", 4)),
    "photo cache of training": (BATCH, cache),
    "eight PNGs of one bit, 81 megapixels": (8, lambda folder: encode(folder, E2ImageProcessorPil(), 8, "bit")),
}


def measured(name: str, folder: Path) -> dict[str, float]:
    """Return the seconds and the peak of this process in MB, after it has done what a row names."""
    start = time.perf_counter()
    ROWS[name][1](folder)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": peak_bytes() / 1e6}


def peak_bytes() -> int:
    """Return the highest resident memory of this process; that of `getrusage` begins with that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def draft_difference(folder: Path) -> str:
    """Return how far the pixels are from those of JPEG's draft mode, which decodes a smaller photo in less time."""
    processor, found = E2ImageProcessorPil(do_normalize=False, do_rescale=False), []
    for draft in (None, 4 * 224):
        photo = PILImage.open(io.BytesIO((folder / "photo-0.jpg").read_bytes()))
        if draft:
            photo.draft("RGB", (draft, draft))
        start = time.perf_counter()
        photo.load()
        found.append(
            (time.perf_counter() - start, processor([photo], return_tensors="np")["pixel_values"].astype(int))
        )
    (whole, pixels), (drafted, others) = found
    off = np.abs(pixels - others)
    return (
        f"draft mode: {drafted * 1000:.0f} instead of {whole * 1000:.0f} ms to decode; of 255 levels {off.max()} off "
        f"at most, {off.mean():.2f} on average"
    )


def main() -> None:
    """Measure each row in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", choices=ROWS, help="measure one in this process")
    parser.add_argument("--folder", type=Path, help="its photos")
    arguments = parser.parse_args()
    if arguments.row:
        print(json.dumps(measured(arguments.row, arguments.folder)))
        return
    with TemporaryDirectory() as folder:
        make_photos(Path(folder))
        lines = []
        for name, (count, _) in ROWS.items():
            command = [sys.executable, __file__, "--row", name, "--folder", folder]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=AS_THE_COMMAND)
            found = json.loads(done.stdout)
            each = f"{found['seconds'] / count * 1000:.0f}" if count else ""
            lines.append([name, str(count), f"{found['peak']:,.0f}", each])
        print(markdown(["what", "photos", "peak memory (MB)", "ms a photo"], lines))
        print(draft_difference(Path(folder)))


if __name__ == "__main__":
    main()
