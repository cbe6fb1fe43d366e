"""`evaluate.load("hf_fashion/metrics/attribute_map_score")`: MAP of attribute-specific search."""

import datasets
import evaluate
import torch

from hf_fashion.metrics.attribute_map import attribute_map, average_precisions


_DESCRIPTION = """
Mean average precision of attribute-specific search: every attribute has queries and candidates, and a candidate is
right if it has the query's value. The total is the mean over all queries; a query without a right candidate counts as
0; candidates with equal scores keep the order of their rows.
"""
_INPUTS = """
Args:
    predictions: embeddings of queries and candidates, N lists of D floats, L2-normalised for cosine.
    references: N integers, the value of the attribute.
    attributes: N strings, the attribute that a row is a query or candidate of.
    is_query: N booleans.
Returns:
    a dictionary with map, mean_attribute_map, {attribute}_map and num_queries.
"""


class AttributeMapScore(evaluate.Metric):
    """Compute `hf_fashion.metrics.attribute_map` of rows that arrive batch by batch."""

    def _info(self):
        features = {
            "predictions": datasets.Sequence(datasets.Value("float32")),
            "references": datasets.Value("int64"),
            "attributes": datasets.Value("string"),
            "is_query": datasets.Value("bool"),
        }
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions, references, attributes, is_query):
        embeds, values, is_query = torch.tensor(predictions), torch.tensor(references), torch.tensor(is_query)
        by_attribute = {}
        for name in dict.fromkeys(attributes):
            own = torch.tensor([attribute == name for attribute in attributes])
            queries, candidates = own & is_query, own & ~is_query
            by_attribute[name] = average_precisions(
                embeds[queries], embeds[candidates], values[queries], values[candidates]
            )
        return attribute_map(by_attribute) | {"num_queries": int(is_query.sum())}
