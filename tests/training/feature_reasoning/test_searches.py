"""Searches that FR learns from: embedded once, stored, and read again."""

import pytest
import torch

from hf_fashion import ColumnMap, load_corpus
from hf_fashion.training.feature_reasoning.lists import CandidateLists
from hf_fashion.training.feature_reasoning.recipe import ListsRecipe
from hf_fashion.training.feature_reasoning.searches import embedded_searches, load_searches, save_searches
from tests.evaluation.searches import random_search, within_itself
from tests.scripts.tiny_run import tiny_corpus
from tests.tiny_e2 import tiny_model, tiny_processor


def test_searches_of_an_e2_are_those_of_its_descriptions(tmp_path):
    tiny_corpus(tmp_path)
    tiny_model().save_pretrained(tmp_path / "e2")
    tiny_processor().save_pretrained(tmp_path / "e2")
    corpus = load_corpus(tmp_path / "corpus")
    searches = embedded_searches(tiny_model(), str(tmp_path / "e2"), corpus, ColumnMap(caption="title"), None)
    (train_search,), (validation_search,) = (searches[name]["text_to_image"] for name in ("train", "validation"))
    assert len(train_search) == len(train_search.gallery_embeds) == 24 and len(validation_search) == 6
    assert len(CandidateLists(searches["train"], 9, ListsRecipe(1.0, 1)))
    save_searches(searches, tmp_path / "run" / "searches.safetensors")
    stored = load_searches(tmp_path / "run" / "searches.safetensors")["validation"]["text_to_image"][0]
    assert torch.equal(stored.query_embeds, validation_search.query_embeds) and stored.own_places is None
    with pytest.raises(ValueError, match=r"`data.attributes` must be null for E2Model"):
        embedded_searches(tiny_model(), str(tmp_path / "e2"), corpus, ColumnMap(caption="title"), ["hem"])


def test_stored_searches_are_read_as_they_were(tmp_path):
    own = within_itself(random_search(seed=1))
    searches = {"train": {"hem": [random_search(), own]}, "validation": {"neck": [random_search(seed=2)]}}
    save_searches(searches, tmp_path / "new" / "searches.safetensors")
    stored = load_searches(tmp_path / "new" / "searches.safetensors")
    assert {split: list(named) for split, named in stored.items()} == {"train": ["hem"], "validation": ["neck"]}
    assert torch.equal(stored["train"]["hem"][1].own_places, own.own_places)
    assert stored["train"]["hem"][0].own_places is None
    assert torch.equal(stored["validation"]["neck"][0].gallery_embeds, random_search(seed=2).gallery_embeds)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["searches.safetensors"]
