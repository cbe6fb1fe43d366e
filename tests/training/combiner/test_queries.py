"""Queries to learn from: triples of tags with the embeddings of their photos and words."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.changes.photo_changes import PhotoChanger
from hf_fashion.training.combiner.queries import ChangeQueries, collate_queries
from tests.tiny_combiner import SPACES
from tests.tiny_e2 import tiny_model, tiny_tokenizer


TAGS = {"brand": ["Nike", "Puma", "Puma", "Nike", None], "season": ["summer", "summer", "summer", "winter", "winter"]}
VALUES = {"brand": ["Nike", "Puma"], "season": ["summer", "winter"]}


@pytest.fixture(scope="module")
def embeds() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {space: normalize(torch.randn(5, 12, generator=generator), dim=-1) for space in SPACES}


def make(embeds, tags=TAGS, per_entity: int = 10) -> ChangeQueries:
    changer = PhotoChanger(tiny_model(), tiny_tokenizer(), VALUES, SPACES)
    return ChangeQueries(tags, embeds, changer, SPACES, per_entity)


def test_queries_are_those_of_arithmetic_with_a_product_to_find(embeds):
    queries = make(embeds)
    assert queries.counts == {"brand": 3, "season": 2} and len(queries) == 5
    changer = PhotoChanger(tiny_model(), tiny_tokenizer(), VALUES, SPACES)
    item = queries[0]  # Nike -> "but Puma", which the second and the third product have
    photo = {space: its[0] for space, its in embeds.items()}
    torch.testing.assert_close(item["words_embeds"], changer.embed_text("but Puma"))
    torch.testing.assert_close(item["start_embeds"], changer.query(photo, "but Puma").scaled(SPACES))
    found = set()
    for epoch in range(20):
        queries.set_epoch(epoch)
        target = queries[0]["target_embeds"]
        found |= {row for row in range(5) if torch.equal(target[0], embeds["image"][row])}
    assert found == {1, 2}


def test_queries_of_one_combination_have_one_key(embeds):
    batch = collate_queries([make(embeds)[number] for number in range(5)])
    assert batch["photo_embeds"].shape == batch["target_embeds"].shape == (5, 3, 12)
    assert batch["keys"].tolist() == [0, 1, 1, 2, 1]  # Puma summer, Nike summer twice, Nike winter, Nike summer


def test_each_entity_is_drawn_by_itself(embeds):
    assert make(embeds, per_entity=1).counts == {"brand": 1, "season": 1}


def test_products_that_differ_in_more_than_one_tag_are_refused(embeds):
    with pytest.raises(ValueError, match="no product of the train split differs from another in one tag only"):
        make(embeds, {"brand": ["Nike", "Puma"], "season": ["summer", "winter"]})
