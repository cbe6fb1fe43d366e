"""A batch of queries against sums that are computed one by one."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.queries import FashionQuery
from hf_fashion.embedding.query_vectors import embed_queries, prepare_query
from tests.tiny_attribute import ATTRIBUTE_NAMES, tiny_asen, tiny_image_processor, tiny_photos
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor


PHOTOS = tiny_images(2, seed=3)
QUERIES = [
    FashionQuery(PHOTOS[0]),
    FashionQuery(terms={"red": 0.5, "a coat": -2.0}),
    FashionQuery(PHOTOS[1], {"blue": 1.0}, 0.3),
    FashionQuery(PHOTOS[1], image_weight=-1.0),
]


@pytest.fixture(scope="module")
def parts():
    processor = tiny_processor()
    return tiny_model(), processor.image_processor, processor.tokenizer


def by_hand(query: FashionQuery, model) -> torch.Tensor:
    processor = tiny_processor()
    total = torch.zeros(12)
    if query.image is not None:
        inputs = processor(images=[query.image], return_tensors="pt")
        total += query.image_weight * normalize(model.get_image_features(**inputs).pooler_output[0], dim=0)
    for term, weight in query.terms.items():
        inputs = processor(text=[term], return_tensors="pt")
        total += weight * normalize(model.get_text_features(**inputs).pooler_output[0], dim=0)
    return normalize(total, dim=0)


@torch.no_grad()
def test_a_batch_of_queries_of_any_form(parts):
    model, _, tokenizer = parts
    prepared = [prepare_query(query, *parts) for query in QUERIES]
    found = embed_queries(prepared, model, tokenizer)
    torch.testing.assert_close(found, torch.stack([by_hand(query, model) for query in QUERIES]))


@torch.no_grad()
def test_photos_of_any_size_are_compared_in_any_attribute():
    model, image_processor = tiny_asen(local=True), tiny_image_processor(do_source=True)
    photos = tiny_photos()
    queries = [FashionQuery(photo, attribute=name) for photo, name in zip(photos, ATTRIBUTE_NAMES, strict=True)]
    prepared = [prepare_query(query, model, image_processor, None) for query in queries]
    assert [query["space_id"].item() for query in prepared] == [0, 1, 2]
    everything = model.get_attribute_features(**image_processor(photos, return_tensors="pt"))
    found = embed_queries(prepared, model, None)
    torch.testing.assert_close(found, everything[range(3), range(3)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (FashionQuery(PHOTOS[0], image_weight=0), "change photo 0$"),
        (FashionQuery(terms={"red": 1, "RED": -1}), "change 'red' 1, 'RED' -1$"),
    ],
)
def test_weights_that_cancel_out_are_named(parts, query, named):
    model, _, tokenizer = parts
    prepared = [prepare_query(one, *parts) for one in (QUERIES[0], query)]
    with torch.no_grad(), pytest.raises(ValueError, match=f"the weights of a query cancel out, .*{named}"):
        embed_queries(prepared, model, tokenizer)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (FashionQuery(terms={"red": 1}), r"AsenModel reads no text, got \['red'\]"),
        (FashionQuery(PHOTOS[0]), "compares photos in one attribute"),
        (FashionQuery(PHOTOS[0], attribute="collar"), "unknown `attribute` 'collar'"),
        (FashionQuery("no.jpg", attribute="pattern"), "the photo 'no.jpg' cannot be read: there is no such file"),
    ],
)
def test_a_query_that_does_not_fit_the_model_is_refused(query, message):
    with pytest.raises(ValueError, match=message):
        prepare_query(query, tiny_asen(), tiny_image_processor(), None)
