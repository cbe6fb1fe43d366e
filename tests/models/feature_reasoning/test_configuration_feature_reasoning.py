"""FR's configuration names what is wrong with it."""

import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from tests.tiny_feature_reasoning import tiny_feature_reasoning_config


def test_the_default_is_the_papers_sequence_of_500():
    config = type(tiny_feature_reasoning_config())()
    assert config.num_candidates + 1 == 500 and config.num_rounds == 1


@pytest.mark.parametrize("name", ["num_candidates", "hidden_size", "num_rounds"])
def test_sizes_are_at_least_1(name):
    with pytest.raises(StrictDataclassClassValidationError, match=f"`{name}` must be at least 1; got 0"):
        tiny_feature_reasoning_config(**{name: 0})


@pytest.mark.parametrize("name", ["step_size", "norm_eps"])
def test_steps_are_positive(name):
    with pytest.raises(StrictDataclassClassValidationError, match=f"`{name}` must be above 0; got -0.1"):
        tiny_feature_reasoning_config(**{name: -0.1})
