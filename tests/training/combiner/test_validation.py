"""Validation of a combiner: its recall next to that of the queries that it moves."""

import torch
from datasets import Dataset
from torch.nn.functional import normalize

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.models.combiner.modeling_combiner import CombinerModel
from hf_fashion.training.combiner.validation import CombinerValidation
from tests.tiny_combiner import SPACES, tiny_combiner, tiny_combiner_config
from tests.tiny_e2 import tiny_model, tiny_processor


def test_a_new_combiner_has_the_recall_of_arithmetic():
    generator = torch.Generator().manual_seed(0)
    embeds = {space: normalize(torch.randn(60, 12, generator=generator), dim=-1) for space in SPACES}
    tags = {"brand": ["Nike", "Puma"] * 30, "season": ["summer", "summer", "winter"] * 20}
    common = (tiny_model(), tiny_processor(), Dataset.from_dict(tags), ColumnMap(tags={name: name for name in tags}))
    new = CombinerModel(tiny_combiner_config())
    metrics = CombinerValidation(*common, embeds, new)(new)
    assert metrics["combiner_recall"] == metrics["start_recall"] > 0
    assert all(isinstance(value, float) for value in metrics.values()), "loggers and the run's history take numbers"
    other = tiny_combiner()
    assert CombinerValidation(*common, embeds, other)(other)["combiner_recall"] != metrics["start_recall"]
