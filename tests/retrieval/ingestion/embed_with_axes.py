"""A gallery of drawn products that keeps some dimensions of each vector."""

from hf_fashion.retrieval.gallery import Gallery
from tests.data.corpora import products
from tests.tiny_e2 import tiny_processor


def embedded(uri, model, count: int, dimensions: int | None = 4) -> Gallery:
    arguments = {"id_column": "id", "batch_size": 4, "progress": False, "dimensions": dimensions}
    return Gallery.from_dataset(products(count), model, tiny_processor(), uri=uri, **arguments)
