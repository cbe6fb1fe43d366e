"""transformers' own common tests of image processors, run on that of the attribute-specific models."""

import unittest

import pytest

from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from tests.tiny_attribute import IMAGE_SIZE


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_image_processing_common import ImageProcessingTester, ImageProcessingTestMixin


class AttributeImageProcessingTester(ImageProcessingTester):
    def __init__(self, parent, **kwargs):
        kwargs.setdefault("size", {"shortest_edge": IMAGE_SIZE})
        kwargs.setdefault("crop_size", {"height": IMAGE_SIZE, "width": IMAGE_SIZE})
        super().__init__(parent, **kwargs)

    def _get_image_processing_classes(self):
        return {"pil": AttributeImageProcessorPil}


class AttributeImageProcessingTest(ImageProcessingTestMixin, unittest.TestCase):
    image_processor_tester_class = AttributeImageProcessingTester

    @unittest.skip("must work where torchvision is not installed: the image processor has only the PIL backend")
    def test_new_models_require_torchvision_backend(self):
        pass

    @unittest.skip("transformers 5.21 looks for the class in transformers.models; no test here has torchvision")
    def test_pil_can_load_without_torchvision(self):
        pass
