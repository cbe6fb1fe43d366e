"""Trained combiners: loaded, checked against the model, and asked."""

import pytest
import torch

from hf_fashion.embedding.changes.combiners import TrainedCombiner, load_combiner
from tests.tiny_combiner import tiny_combiner, tiny_queries
from tests.tiny_feature_reasoning import tiny_feature_reasoning


def test_it_is_asked_in_evaluation_mode_and_keeps_its_own():
    model, queries = tiny_combiner().train(), tiny_queries()
    combiner = TrainedCombiner(model)
    moved = combiner(*queries.values())
    assert model.training and combiner.spaces == ("image", "brand", "season")
    with torch.no_grad():
        assert torch.equal(moved, model.eval()(**queries).query_embeds)


def test_it_is_loaded_by_its_folder(tmp_path):
    tiny_combiner().save_pretrained(tmp_path / "combiner")
    loaded = load_combiner(tmp_path / "combiner")
    assert load_combiner(loaded) is loaded
    inputs = tiny_queries().values()
    torch.testing.assert_close(loaded(*inputs), load_combiner(tiny_combiner())(*inputs))


def test_what_is_no_combiner_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`combiner` must be a CombinerModel, .* got FeatureReasoningModel"):
        load_combiner(tiny_feature_reasoning())
    with pytest.raises(ValueError, match="`combiner` must be a CombinerModel, its path or its Hub id, got 3"):
        load_combiner(3)
    with pytest.raises(ValueError, match=r"got '.*missing'"):
        load_combiner(tmp_path / "missing")


def test_one_of_another_model_is_refused(caplog):
    own = TrainedCombiner(tiny_combiner(embedder_fingerprints=["E2Model-1", "E2Model-2"]))
    own.check_embedder("E2Model-2-v2-pixels-tokens")
    with pytest.raises(ValueError, match=r"with E2Model-1, this is E2Model-3: .*hf-fashion train combiner"):
        own.check_embedder("E2Model-3-v2-pixels-tokens")
    assert not caplog.messages
    TrainedCombiner(tiny_combiner()).check_embedder("E2Model-3")
    assert "does not name its one" in caplog.text


def test_regions_that_the_gallery_lacks_are_named():
    TrainedCombiner(tiny_combiner()).check_spaces(["image", "season", "brand", "colour"])
    with pytest.raises(ValueError, match=r"searches the regions season, which .* `regions=True`"):
        TrainedCombiner(tiny_combiner()).check_spaces(["image", "brand"])
