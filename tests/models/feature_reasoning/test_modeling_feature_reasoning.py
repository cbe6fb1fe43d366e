"""FR moves features and so re-ranks a list: parity with its ancestor, and what holds for every list."""

import re

import pytest
import torch
from accelerate import infer_auto_device_map
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch.nn.functional import normalize
from transformers import AutoModel

from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel, FeatureReasoningNorm
from tests.tiny_feature_reasoning import (
    DIM,
    NUM_CANDIDATES,
    tiny_feature_reasoning,
    tiny_feature_reasoning_config,
    tiny_lists,
)


PUBLISHED_NETWORKS = {"query_update": "dni_query", "candidate_update": "dni_database"}
PUBLISHED_LAYERS = {
    "norm_in": "layer1.0",
    "fc1": "layer1.1",
    "norm1": "layer1.3",
    "fc2": "layer2.0",
    "norm2": "layer2.2",
    "fc_out": "layer3",
}


@pytest.fixture(scope="module")
def published(shared_fixtures):
    return load_file(shared_fixtures / "ssr_k6_1step.safetensors")


@pytest.fixture(scope="module")
def published_model(published) -> FeatureReasoningModel:
    model = tiny_feature_reasoning().double()
    weights = {"logit_scale": published["w.scale_cls"][0].log()}
    for name in model.state_dict().keys() - weights.keys():
        network, layer, kind = name.split(".")
        weights[name] = published[f"w.{PUBLISHED_NETWORKS[network]}.{PUBLISHED_LAYERS[layer]}.{kind}"]
    model.load_state_dict(weights)
    return model


def test_similarities_equal_those_of_the_published_code(published, published_model):
    outputs = published_model(published["query"], published["database"][None])
    torch.testing.assert_close(outputs.initial_similarities[0], published["sim_before"])
    torch.testing.assert_close(outputs.similarities[0], published["sim_after_detached"])


def test_the_update_network_equals_the_published_one(published, published_model):
    parts = published_model.query_update(published["subgraph_input"][None])
    torch.testing.assert_close(torch.cat(parts, dim=-1)[0], published["o_query_of_input"])


def moved_by_hand(model: FeatureReasoningModel, features: torch.Tensor) -> torch.Tensor:
    """A round for one query and its candidates (n, d), with autograd's gradient in the place of the closed form."""
    number = len(features) - 1
    for update, moving in ((model.query_update, slice(0, 1)), (model.candidate_update, slice(1, None))):
        features = features.detach().requires_grad_()
        units = normalize(features, dim=-1)
        similarities = units @ units.T
        orders = similarities[:, 1:].argsort(dim=1, descending=True) + 1
        rows = [torch.cat([row[:1], row[o], similarities[0, o]]) for row, o in zip(similarities, orders, strict=True)]
        updates = torch.cat(update(torch.stack(rows)[None]), dim=-1)[0].detach()
        asked = sum(
            updates[i, 0] * similarities[i, 0]
            + updates[i, 1 : number + 1] @ similarities[i, orders[i]]
            + updates[i, number + 1 :] @ similarities[0, orders[i]]
            for i in range(number + 1)
        )
        (gradient,) = torch.autograd.grad(asked, features)
        features = features.detach().clone()
        features[moving] -= model.config.step_size * gradient[moving]
    return features


@pytest.mark.parametrize("num_rounds", [1, 3])
def test_closed_form_equals_autograd_of_detached_steps(num_rounds):
    model, lists = tiny_feature_reasoning(num_rounds=num_rounds).double(), tiny_lists()
    outputs = model(**lists)
    for q, (query, candidates) in enumerate(zip(*lists.values(), strict=True)):
        features = normalize(torch.cat([query[None], candidates]), dim=-1)
        for _ in range(num_rounds):
            features = moved_by_hand(model, features)
        torch.testing.assert_close(outputs.query_embeds[q], features[0])
        torch.testing.assert_close(outputs.candidate_embeds[q], features[1:])
        expected = normalize(features[1:], dim=-1) @ normalize(features[0], dim=-1)
        torch.testing.assert_close(outputs.similarities[q], expected)


def test_gradients_of_two_rounds_agree_with_finite_differences():
    model, lists = tiny_feature_reasoning(num_rounds=2).double(), tiny_lists(queries=2)
    named = {name: weight for name, weight in model.named_parameters() if name != "logit_scale"}

    def similarities(*weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(model, dict(zip(named, weights, strict=True)), kwargs=lists).similarities

    assert torch.autograd.gradcheck(similarities, tuple(named.values()), fast_mode=True)


def test_an_untrained_model_leaves_every_similarity_as_it_is_bit_for_bit():
    model = FeatureReasoningModel(tiny_feature_reasoning_config())
    outputs = model(**tiny_lists())
    assert torch.equal(outputs.similarities, outputs.initial_similarities)


def duplicated_lists(queries: int = 20, candidates: int = 49) -> tuple[torch.Tensor, torch.Tensor]:
    """Lists in the order of another product's rounding, every candidate twice and all of them near the query."""
    generator = torch.Generator().manual_seed(0)
    query = normalize(torch.randn(queries, 512, generator=generator), dim=-1)
    gallery = normalize(query[:1] + 1e-4 * torch.randn(200, 512, generator=generator), dim=-1)[torch.arange(200) // 2]
    places = (query @ gallery.T).argsort(dim=-1, descending=True, stable=True)[:, :candidates]
    return query, gallery[places]


def test_an_untrained_model_keeps_the_order_of_every_list():
    model = FeatureReasoningModel(tiny_feature_reasoning_config(num_candidates=60)).eval()
    query, candidates = duplicated_lists()
    in_order = torch.arange(candidates.shape[1]).expand(len(query), -1)
    order = model(query, candidates).similarities.argsort(dim=-1, descending=True, stable=True)
    assert not torch.equal(order, in_order), "rounding decides: the lists are hard enough for this test"
    assert torch.equal(model.rerank(query, candidates).argsort(dim=-1, descending=True, stable=True), in_order)


def test_re_ranking_scores_change_as_the_similarities_do():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    order = model(**lists).initial_similarities.argsort(dim=-1, descending=True)
    sorted_candidates = lists["candidate_embeds"].gather(1, order[..., None].expand(-1, -1, DIM))
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2, [False] * 6])
    scores = model.rerank(lists["query_embeds"], sorted_candidates, mask)
    torch.testing.assert_close(scores, model(lists["query_embeds"], sorted_candidates, mask).similarities)


def lists_with_copies(noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """40 lists of 60, every candidate twice; one photo in two batches gives embeddings that differ by rounding."""
    generator = torch.Generator().manual_seed(0)
    query = normalize(torch.randn(40, 64, generator=generator), dim=-1)
    others = query[:, None] + normalize(torch.randn(40, 30, 64, generator=generator), dim=-1)
    candidates = normalize(others, dim=-1)[:, torch.arange(60) // 2]
    candidates = candidates + noise * torch.randn(candidates.shape, generator=generator)
    order = (candidates @ query[..., None])[..., 0].argsort(dim=-1, descending=True)
    return query, candidates.gather(1, order[..., None].expand_as(candidates))


@pytest.mark.parametrize("noise", [0, 1e-8, 1e-7, 1e-6])
def test_copies_among_the_candidates_get_scores_that_no_batch_and_no_padding_changes(noise):
    model = tiny_feature_reasoning(num_candidates=60, hidden_size=64, step_size=1e-3)
    query, candidates = lists_with_copies(noise)
    with torch.no_grad():
        together = model.rerank(query, candidates)
        alone = [model.rerank(q[None], c[None]) for q, c in zip(query, candidates, strict=True)]
        padded = model.rerank(query, candidates, torch.ones(40, 60, dtype=torch.bool))
        exact = model.double().rerank(query.double(), candidates.double())
    for other in (torch.cat(alone), padded, exact):
        torch.testing.assert_close(other, together, rtol=0, atol=2e-6)
    assert together.std(dim=1).min() > 0.01, "scores are apart by more than they may differ"


def test_what_stands_at_masked_places_does_not_matter():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    mask = torch.tensor([True, True, False, True, False, False]).expand(3, -1)
    expected = model(**lists, candidate_mask=mask).similarities
    lists["candidate_embeds"][:, ~mask[0]] = torch.nan
    assert torch.equal(model(**lists, candidate_mask=mask).similarities, expected)


def test_a_trained_model_moves_similarities():
    outputs = tiny_feature_reasoning()(**tiny_lists())
    assert (outputs.similarities - outputs.initial_similarities).abs().max() > 0.01


def test_candidates_in_another_order_get_the_same_similarities():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    shuffled = model(lists["query_embeds"], lists["candidate_embeds"][:, order])
    torch.testing.assert_close(shuffled.similarities, model(**lists).similarities[:, order])


def test_a_query_gets_alone_what_it_gets_among_others():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    alone = model(lists["query_embeds"][1:2], lists["candidate_embeds"][1:2])
    torch.testing.assert_close(alone.similarities[0], model(**lists).similarities[1])


def test_lengths_of_the_given_features_do_not_matter():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    longer = {name: 32 * embeds for name, embeds in lists.items()}
    torch.testing.assert_close(model(**longer).similarities, model(**lists).similarities)


def test_masked_candidates_count_as_little_as_none():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    mask = torch.tensor([True, False, True, True, True, False]).expand(3, -1)
    masked = model(**lists, candidate_mask=mask)
    shorter = model(lists["query_embeds"], lists["candidate_embeds"][:, mask[0]])
    torch.testing.assert_close(masked.similarities[:, mask[0]], shorter.similarities)
    assert (masked.similarities[:, ~mask[0]] == -torch.inf).all()


def test_a_mask_without_gaps_changes_nothing():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    masked = model(**lists, candidate_mask=torch.ones(3, NUM_CANDIDATES, dtype=torch.bool))
    torch.testing.assert_close(masked.similarities, model(**lists).similarities)


def test_lists_of_different_lengths_share_a_batch():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    lengths = torch.tensor([6, 2, 0])
    outputs = model(**lists, candidate_mask=torch.arange(NUM_CANDIDATES) < lengths[:, None])
    alone = model(lists["query_embeds"][1:2], lists["candidate_embeds"][1:2, :2])
    torch.testing.assert_close(outputs.similarities[1, :2], alone.similarities[0])
    assert outputs.query_embeds.isfinite().all() and outputs.candidate_embeds.isfinite().all()


def test_gradients_through_short_lists_are_finite():
    model, lists = tiny_feature_reasoning().double(), tiny_lists()
    mask = torch.arange(NUM_CANDIDATES) < torch.tensor([6, 2, 0])[:, None]
    model(**lists, candidate_mask=mask).similarities[mask].sum().backward()
    networks = [*model.query_update.parameters(), *model.candidate_update.parameters()]
    assert all(weight.grad.isfinite().all() for weight in networks)


def test_norm_over_the_valid_places_equals_norm_of_a_shorter_row():
    norm = FeatureReasoningNorm(1e-5)
    rows = torch.randn(4, 9)
    shorter = norm(rows[:, :5].contiguous())
    torch.testing.assert_close(norm(rows, torch.arange(9) < 5)[:, :5], shorter)


def test_half_precision_inputs_are_reasoned_about_in_float32():
    model = tiny_feature_reasoning()
    lists = {name: embeds.to(torch.bfloat16) for name, embeds in tiny_lists().items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = model(**lists)
    expected = model(**{name: embeds.float() for name, embeds in lists.items()})
    assert torch.equal(outputs.similarities, expected.similarities)


def test_weights_stay_in_float32_whatever_dtype_is_asked_for(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, dtype=torch.bfloat16)
    saved = tiny_feature_reasoning()
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert all(map(torch.equal, model.parameters(), saved.parameters()))
    found, expected = model(**tiny_lists()).similarities, saved(**tiny_lists()).similarities
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)


def test_training_computes_in_the_dtype_of_the_weights():
    assert tiny_feature_reasoning().train()(**tiny_lists()).similarities.dtype == torch.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query_embeds": torch.zeros(3, DIM + 1)}, r"`query_embeds` must have shape \(Q, d\)"),
        ({"candidate_embeds": torch.zeros(3, NUM_CANDIDATES + 1, DIM)}, "at most `config.num_candidates`=6"),
        ({"candidate_mask": torch.ones(3, NUM_CANDIDATES)}, r"`candidate_mask` must be bool of shape \(3, 6\)"),
        ({"candidate_mask": torch.ones(3, 2, dtype=torch.bool)}, r"`candidate_mask` must be bool of shape \(3, 6\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_feature_reasoning()(**(tiny_lists() | changes))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_parts_that_stay_in_float32_are_made_in_it(dtype):
    model = AutoModel.from_config(tiny_feature_reasoning_config(), dtype=dtype)
    kept = {
        name: tensor.dtype
        for name, tensor in model.state_dict().items()
        if re.match("query_update|candidate_update|logit_scale", name)
    }
    assert kept and set(kept.values()) == {torch.float32}


def test_an_update_network_is_on_one_device():
    model = tiny_feature_reasoning()
    size = sum(weight.nbytes for weight in model.parameters())
    for share in (0.3, 0.5, 0.7):
        limits = {0: int(share * size), "cpu": 2 * size}
        devices = infer_auto_device_map(model, limits, list(model._no_split_modules))
        assert devices.keys() <= {"", "query_update", "candidate_update", "logit_scale"}, share


def test_every_adapter_counts_as_when_it_is_merged():
    lists = {name: value.float() for name, value in tiny_lists().items()}
    model = get_peft_model(tiny_feature_reasoning(), LoraConfig(r=2, target_modules=["fc_out"])).eval()
    plain = model(**lists).similarities
    adapters = [parameter for name, parameter in model.named_parameters() if "fc_out.lora_B" in name]
    for parameter in adapters:
        torch.nn.init.normal_(parameter)
    adapted = model(**lists).similarities
    adapted.sum().backward()
    assert len(adapters) == 2 and all(parameter.grad.abs().sum() > 0 for parameter in adapters)
    assert not torch.allclose(adapted, plain)
    torch.testing.assert_close(model.merge_and_unload()(**lists).similarities, adapted, rtol=1e-4, atol=1e-5)
