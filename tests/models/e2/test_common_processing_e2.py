"""transformers' own common tests of processors, run on E2's. `make test` fetches them."""

import unittest
from unittest import mock

import pytest

from hf_fashion.models.e2.processing_e2 import E2Processor
from tests.tiny_e2 import TAG_ENTITIES, tiny_image_processor, tiny_tokenizer


pytest.importorskip("hf_common", reason="run `python tests/fetch_transformers_tests.py` (needs the network) first")

from hf_common.test_processing_common import ProcessorTesterMixin


class E2ProcessorTest(ProcessorTesterMixin, unittest.TestCase):
    processor_class = E2Processor

    @classmethod
    def setUpClass(cls):
        # Once saved for the Hub, a processor carries `auto_map`, which loading by its class drops; the comparison of a
        # saved with a loaded processor is about everything else. tests/hub tests the `auto_map`.
        without_auto_class = mock.patch.object(E2Processor, "_auto_class", None)
        without_auto_class.start()
        cls.addClassCleanup(without_auto_class.stop)
        super().setUpClass()

    @classmethod
    def _setup_tokenizer(cls):
        return tiny_tokenizer()

    @classmethod
    def _setup_image_processor(cls):
        return tiny_image_processor()

    @staticmethod
    def prepare_processor_dict():
        return {"tag_entities": TAG_ENTITIES, "compose_text": False}

    def test_model_input_names(self):
        """As the common test, with the tags that it does not know of."""
        processor = self.get_processor()
        inputs = processor(
            images=self.prepare_images_inputs(),
            text=self.prepare_text_inputs(),
            tags=dict.fromkeys(TAG_ENTITIES, "a tag"),
            return_tensors="pt",
        )
        self.assertSetEqual(set(inputs), set(processor.model_input_names))
