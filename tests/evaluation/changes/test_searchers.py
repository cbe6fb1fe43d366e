"""The ways to search by a photo and a change: which there are, and what each asks."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.changes.combiners import TrainedCombiner
from hf_fashion.evaluation.changes.searchers import AskedChange, changer_for, default_way, searchers_for
from tests.tiny_combiner import SPACES, tiny_combiner
from tests.tiny_e2 import tiny_model, tiny_processor


TAGS = {"brand": ["Nike", "Puma"], "season": ["summer", "winter"]}


def asked() -> AskedChange:
    embeds = normalize(torch.randn(len(SPACES), 12, generator=torch.Generator().manual_seed(0)), dim=-1)
    photo = dict(zip(SPACES, embeds, strict=True))
    return AskedChange(photo, "but Nike", {"brand": "Puma", "season": "winter"}, {"brand": "Puma", "season": "summer"})


def test_each_way_asks_the_changer():
    changer = changer_for(tiny_model(), tiny_processor(), TAGS, SPACES, TrainedCombiner(tiny_combiner()))
    ways, one = searchers_for(changer), asked()
    assert list(ways)[3:] == ["text", "text_known", "arithmetic", "arithmetic_known", "regions", "combiner"]
    total = one.photo["image"] + changer.embed_text("but Nike")
    torch.testing.assert_close(ways["sum"](one).vector, total / total.norm())
    for way, tags in {"text": one.named, "text_known": one.known, "arithmetic": one.named}.items():
        vector = changer.query(one.photo, one.words, tags, way.removesuffix("_known")).vector
        assert torch.equal(ways[way](one).vector, vector) and len(ways[way](one).parts) == 1
    assert [part.space for part in ways["regions"](one).parts] == ["brand", "season"]
    assert [part.space for part in ways["combiner"](one).parts] == SPACES


def test_the_default_is_that_of_the_pipeline():
    with_combiner = changer_for(tiny_model(), tiny_processor(), TAGS, SPACES, TrainedCombiner(tiny_combiner()))
    assert default_way(searchers_for(with_combiner)) == "combiner"
    with_regions = changer_for(tiny_model(), tiny_processor(), TAGS, SPACES)
    assert default_way(searchers_for(with_regions)) == "regions"
    plain = searchers_for(changer_for(tiny_model(), tiny_processor(), {}, ["image"]))
    assert list(plain) == ["photo", "words", "sum", "arithmetic"] and default_way(plain) == "arithmetic"


def test_a_combiner_of_another_model_is_refused():
    other = TrainedCombiner(tiny_combiner(embedder_fingerprints=["E2Model-1"]))
    with pytest.raises(ValueError, match="was trained with E2Model-1"):
        changer_for(tiny_model(), tiny_processor(), TAGS, SPACES, other)
