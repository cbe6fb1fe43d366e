"""Read every photo of a corpus once into a signature: a hash of its bytes, a perceptual hash and a small picture."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from ..data.encoded_photos import CHECKING_THREADS, ROWS_AT_ONCE, encoded_images, read_bytes
from ..images import decode_photo, why_unreadable
from .audited_corpus import AuditedCorpus


# The perceptual hash is pHash of C. Zauner, "Implementation and benchmarking of perceptual image hash functions"
# (2010): which of the lowest frequencies (8 by 8) of a grey picture of 32 by 32 pixels are above their median.
SIDE = 32
FREQUENCIES = 8
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
PICTURE_SIDE = 16  # of what is compared: the noise of another size and quality is averaged away
COSINES = np.cos(np.pi * np.outer(np.arange(FREQUENCIES), 2 * np.arange(SIDE) + 1) / (2 * SIDE)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PhotoSignatures:
    """
    Signatures of P photos; a row of a corpus with several views has several.

    Args:
        rows (`list[int]`): the row of each photo.
        views (`list[int]`): which of its row's photos each is, from 0.
        files (`list[bytes]`): a hash of each photo's encoded bytes.
        hashes (`torch.Tensor` of shape `(P, 64)`): bool; the perceptual hash.
        pictures (`torch.Tensor` of shape `(P, 16, 16, 3)`): uint8; the photo at this size, in RGB.
        unreadable (`dict[int, str]`): row -> why a photo of it cannot be read. It has no signature.
    """

    rows: list[int]
    views: list[int]
    files: list[bytes]
    hashes: Tensor
    pictures: Tensor
    unreadable: dict[int, str]


def read_signatures(corpus: AuditedCorpus, progress: bool = True) -> PhotoSignatures:
    """Read the signatures of all photos, each of which is opened once.

    Args:
        corpus (`AuditedCorpus`): the rows.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.
    """
    rows, views, files, hashes, pictures, unreadable = [], [], [], [], [], {}
    with tqdm(total=len(corpus), desc="photos", disable=not progress, leave=False) as bar:
        for row, found in enumerate(_signed_rows(corpus)):
            for view, signed in enumerate(found):
                if isinstance(signed, str):
                    unreadable[row] = signed
                    continue
                for values, value in zip((rows, views, files, hashes, pictures), (row, view, *signed), strict=True):
                    values.append(value)
            bar.update()
    bits = torch.from_numpy(np.array(hashes, dtype=bool).reshape(-1, FREQUENCIES**2))
    small = torch.from_numpy(np.array(pictures, dtype=np.uint8).reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3))
    return PhotoSignatures(rows, views, files, bits, small, unreadable)


def sign_photo(photo: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return the perceptual hash (64,), bool, and the small picture (16, 16, 3), uint8, of a photo.

    Args:
        photo (`PIL.Image.Image`): in RGB.
    """
    small = np.asarray(photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0))
    low = (COSINES @ (small.astype(np.float32) @ GREY) @ COSINES.T).ravel()
    pixels = small.reshape(PICTURE_SIDE, 2, PICTURE_SIDE, 2, 3).mean(axis=(1, 3))
    return low > np.median(low), pixels.round().astype(np.uint8)


def _signed_rows(corpus: AuditedCorpus) -> Iterator[list[tuple[bytes, np.ndarray, np.ndarray] | str]]:
    """The signatures of each row's photos; of one that cannot be read, the reason."""
    cells = (row for split in corpus.splits.values() for row in encoded_images(split, corpus.column_map.image))
    with ThreadPoolExecutor(CHECKING_THREADS) as threads:
        while part := list(islice(cells, ROWS_AT_ONCE)):
            yield from threads.map(_sign_row, part)


def _sign_row(views: list[dict | None] | None) -> list[tuple[bytes, np.ndarray, np.ndarray] | str]:
    return [_sign_view(view) for view in views or [None]]


def _sign_view(view: dict | None) -> tuple[bytes, np.ndarray, np.ndarray] | str:
    try:
        encoded = read_bytes(view)
        return hashlib.blake2b(encoded, digest_size=16).digest(), *sign_photo(decode_photo(encoded))
    except Exception as error:  # PIL raises SyntaxError, struct.error and others on broken files, not only OSError
        return why_unreadable(error)
