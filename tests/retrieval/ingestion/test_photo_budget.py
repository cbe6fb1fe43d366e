"""Threads that decode hold no more pixels together than the budget has, except a single photo that is larger."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from hf_fashion.images import pixels_to_decode
from hf_fashion.retrieval.ingestion.photo_budget import PhotoBudget


def png(width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


class Held:
    """Count what is held at a time, and the most of it."""

    def __init__(self):
        self.now, self.most, self.lock = [], 0, threading.Lock()

    def hold(self, budget: PhotoBudget, encoded: bytes) -> None:
        with budget.held(encoded):
            with self.lock:
                self.now.append(pixels_to_decode(encoded))
                self.most = max(self.most, sum(self.now))
            time.sleep(0.002)
            with self.lock:
                self.now.remove(pixels_to_decode(encoded))


def test_photos_are_held_together_up_to_the_budget():
    held, budget = Held(), PhotoBudget(250)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: held.hold(budget, png(10, 10)), range(40)))
    assert held.most == 200


def test_a_larger_photo_is_held_by_itself():
    held, budget = Held(), PhotoBudget(250)
    photos = [png(10, 10), png(40, 40)] * 20
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda photo: held.hold(budget, photo), photos))
    assert held.most == 1600


def test_an_error_gives_its_pixels_back():
    budget = PhotoBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.held(png(10, 10)):
            raise ValueError("broken")
    with budget.held(b"no photo"):
        pass
