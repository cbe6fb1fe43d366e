"""Ids on the Hub: what can be one, and what is a path or a text."""

import pytest

from hf_fashion.hub_ids import is_hub_id


@pytest.mark.parametrize("name", ["openai/clip-vit-base-patch32", "tester/a.b_c-1", "Marqo/KAGL"])
def test_a_name_with_an_owner_can_be_one(name):
    assert is_hub_id(name) and is_hub_id(name, owner=True)


@pytest.mark.parametrize("name", ["gpt2", "my-model"])
def test_a_name_without_an_owner_can_be_one_where_none_is_asked_for(name):
    assert is_hub_id(name) and not is_hub_id(name, owner=True)


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a/b/c", "/data/shop", "./shop", "../shop", "~/shop", "shop/", "/shop", "my models/e2", "s3://b/g"),
        *("a--b/c", "owner/shop.git", "x" * 97, "C:\\shop", "milvus+file:g.db", "größe/ß"),
    ],
)
def test_paths_and_texts_are_none(name):
    assert not is_hub_id(name) and not is_hub_id(name, owner=True)
