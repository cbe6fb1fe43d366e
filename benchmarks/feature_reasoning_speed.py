"""Measure the cost of re-ranking: FR, the published implementation (one query at a time, autograd), and the baselines.

    PYTHONPATH=. python benchmarks/feature_reasoning_speed.py --output benchmarks/results/feature_reasoning_speed.json

Lists of 499 candidates, 1024 dimensions, H = 1024, random weights and features. First it is checked that FR and the
published implementation agree.
"""

import argparse
import copy
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.timing import interleaved
from hf_fashion.files import write_json
from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel
from hf_fashion.retrieval.rerankers.k_reciprocal import k_reciprocal
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion


def published_way(model: FeatureReasoningModel, query: Tensor, candidates: Tensor) -> Tensor:
    """Return similarities (k,) after one round for one query: a sub-graph at a time, with autograd."""
    number = len(candidates)
    features = normalize(torch.cat([query[None], candidates]), dim=1).requires_grad_()
    for update, moving in ((model.query_update, slice(0, 1)), (model.candidate_update, slice(1, None))):
        units = normalize(features, dim=1)
        similarities = units @ units.T
        graph = torch.zeros_like(similarities)
        for node in range(number + 1):
            order = similarities[node, 1:].argsort(descending=True, stable=True) + 1
            row = torch.cat([similarities[node, :1], similarities[node, order], similarities[0, order]])
            asked = torch.cat(update(row[None, None]), dim=-1)[0, 0]
            of_node, of_query = torch.zeros_like(graph), torch.zeros_like(graph)
            of_node[node, 0] = asked[0]
            of_node[node, order] = asked[1 : number + 1]
            of_query[0, order] = asked[number + 1 :]
            graph = graph + of_node + of_query
        (gradient,) = torch.autograd.grad((graph.detach() * similarities).sum(), features, create_graph=True)
        step = torch.zeros_like(features)
        step[moving] = model.config.step_size * gradient[moving]
        features = features - step
    units = normalize(features, dim=1)
    return (units[1:] @ units[0]).detach()


def largest_difference(model: FeatureReasoningModel, query: Tensor, candidates: Tensor) -> float:
    """Return the largest difference in float64; in float32, rounding decides the order of equal candidates."""
    exact = copy.deepcopy(model).double()
    query, candidates = query.double(), candidates.double()
    with torch.no_grad():
        found = exact(query[None], candidates[None]).similarities[0]
    return (found - published_way(exact, query, candidates)).abs().max().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=32, help="lists in a batch")
    parser.add_argument("--candidates", type=int, default=499)
    parser.add_argument("--rounds", type=int, default=5, help="calls of each that are counted")
    parser.add_argument("--output", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    model = FeatureReasoningModel(FeatureReasoningConfig(num_candidates=arguments.candidates)).eval()
    for update in (model.query_update, model.candidate_update):
        torch.nn.init.normal_(update.fc_out.weight, std=0.01)
    query = normalize(torch.randn(arguments.queries, 1024), dim=1)
    candidates = normalize(query[:, None] + torch.randn(arguments.queries, arguments.candidates, 1024) / 16, dim=2)
    batched = {
        "FR": torch.no_grad()(partial(model, query, candidates)),
        "query expansion": partial(query_expansion, query, candidates),
        "k-reciprocal": partial(k_reciprocal, query, candidates),
    }
    difference = largest_difference(model, query[0], candidates[0])
    assert difference < 1e-9, difference
    seconds = interleaved(batched, arguments.rounds, warm_up=1)
    one = interleaved({"published": partial(published_way, model, query[0], candidates[0])}, rounds=2, warm_up=0)
    rows = {name: value / arguments.queries for name, value in seconds.items()} | {"published way": one["published"]}
    for name, value in rows.items():
        print(f"{name}: {1000 * value:.1f} ms a query, {rows['published way'] / value:.1f} times as fast", flush=True)
    print(f"largest difference {difference:.1e}, {torch.get_num_threads()} threads")
    sizes = {"queries": arguments.queries, "candidates": arguments.candidates, "threads": torch.get_num_threads()}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(sizes | {"seconds_a_query": rows, "difference": difference}, arguments.output)


if __name__ == "__main__":
    main()
