"""A gallery of the tiny E2 and a pipeline over it, made once."""

import pytest
from transformers import pipeline

from hf_fashion.pipelines.fashion_retrieval import FashionRetrievalPipeline
from hf_fashion.retrieval.gallery import Gallery
from tests.pipelines.searches import embedded_gallery
from tests.tiny_e2 import tiny_model, tiny_processor


@pytest.fixture(scope="session")
def gallery(tmp_path_factory) -> Gallery:
    return embedded_gallery(tmp_path_factory.mktemp("gallery") / "e2", tiny_model(), tiny_processor())


@pytest.fixture(scope="session")
def region_gallery(tmp_path_factory) -> Gallery:
    """The same products with the regions of their photos."""
    uri = tmp_path_factory.mktemp("gallery") / "regions"
    return embedded_gallery(uri, tiny_model(), tiny_processor(), regions=True)


@pytest.fixture
def make(gallery):
    """Makes a pipeline of the tiny E2 with other arguments."""

    def make_pipeline(**kwargs) -> FashionRetrievalPipeline:
        given = {"model": tiny_model(), "processor": tiny_processor(), "gallery": gallery, "device": "cpu"}
        return pipeline("fashion-retrieval", **(given | kwargs))

    return make_pipeline
