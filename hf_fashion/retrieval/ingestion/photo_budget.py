"""Bounds how many pixels the decoding threads hold in full size together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from ...images import pixels_to_decode


class PhotoBudget:
    """Let threads decode photos at the same time, up to a number of pixels.

    A photo of more pixels than that is decoded while no other one is held.

    Args:
        pixels (`int`): pixels of all photos that are held.
    """

    def __init__(self, pixels: int):
        self._pixels = self._free = pixels
        self._changed = Condition()

    @contextmanager
    def held(self, encoded: bytes) -> Iterator[None]:
        """Wait until there is room for a photo, and keep it until the context ends.

        Args:
            encoded (`bytes`): the content of its file.
        """
        needed = min(pixels_to_decode(encoded), self._pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= needed)
            self._free -= needed
        try:
            yield
        finally:
            with self._changed:
                self._free += needed
                self._changed.notify_all()
