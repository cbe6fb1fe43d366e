"""Parts of a query as vectors whose lengths are their weights."""

import torch

from hf_fashion.embedding.changes.changed_query import ChangedQuery, Part


def test_parts_are_scaled_and_back():
    image, brand, season = torch.eye(3)
    query = ChangedQuery(image, (Part("season", season, 0.75), Part("brand", brand, 0.25)))
    spaces = ["image", "brand", "season"]
    vectors = query.scaled(spaces)
    assert vectors.tolist() == [[0, 0, 0], [0, 0.25, 0], [0, 0, 0.75]]
    again = ChangedQuery.of_scaled(2 * vectors, spaces, image)
    assert again.vector is image
    assert [(part.space, part.weight) for part in again.parts] == [("brand", 0.25), ("season", 0.75)]
    assert torch.equal(again.parts[1].vector, season)


def test_the_vector_is_that_of_the_image_where_it_is_searched():
    image, brand, _ = torch.eye(3)
    query = ChangedQuery.of_scaled(torch.stack([brand, brand]), ["image", "brand"], image)
    assert torch.equal(query.vector, brand)
    assert ChangedQuery.of_image(image).parts[0].weight == 1.0
