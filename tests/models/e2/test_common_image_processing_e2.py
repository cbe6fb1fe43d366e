"""transformers' own common tests of image processors, run on E2's. `make test` fetches them."""

import unittest

import pytest

from hf_fashion.models.e2.image_processing_e2 import E2ImageProcessorPil
from tests.tiny_e2 import IMAGE_SIZE


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_image_processing_common import ImageProcessingTester, ImageProcessingTestMixin


class E2ImageProcessingTester(ImageProcessingTester):
    def __init__(self, parent, **kwargs):
        kwargs.setdefault("size", {"shortest_edge": IMAGE_SIZE + 4})
        kwargs.setdefault("crop_size", {"height": IMAGE_SIZE, "width": IMAGE_SIZE})
        super().__init__(parent, **kwargs)

    def _get_image_processing_classes(self):
        return {"pil": E2ImageProcessorPil}


class E2ImageProcessingTest(ImageProcessingTestMixin, unittest.TestCase):
    image_processor_tester_class = E2ImageProcessingTester

    @unittest.skip("E2 must work where torchvision is not installed: its image processor has only the PIL backend")
    def test_new_models_require_torchvision_backend(self):
        pass

    @unittest.skip("transformers 5.21 looks for the class in transformers.models; no test here has torchvision")
    def test_pil_can_load_without_torchvision(self):
        pass
