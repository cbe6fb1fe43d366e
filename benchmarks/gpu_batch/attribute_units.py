"""The attribute models from pretrained backbones: train their stages, and measure search and re-ranking after each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from benchmarks.gpu_batch.optimising import Clock, mixed_precision, optimise, with_rates
from benchmarks.gpu_batch.packed import Packed, PackedCorpus
from benchmarks.gpu_batch.reranking import rerank_metrics
from benchmarks.gpu_batch.starts import Starts
from hf_fashion.evaluation.labelled_search import LabelledSearch
from hf_fashion.losses.attribute import ATTRIBUTE_LOSSES, attribute_losses, published_weights
from hf_fashion.losses.attribute_items import AttributeItems
from hf_fashion.losses.triplet_indices import batch_triplets
from hf_fashion.metrics import attribute_map
from hf_fashion.metrics.attribute_map import average_precisions_of_hits
from hf_fashion.models.attribute.backbone_attribute import build_backbone, feature_map, load_pretrained
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.training.attribute.diverging import AttributeDiverging


BRANCHES = ("global_embeds", "local_embeds", "background_embeds")
TRIPLET_LIMIT = 20_000
Searches = dict[str, list[LabelledSearch]]


@dataclass(frozen=True)
class Stage:
    """A stage of a model, which starts from the stage before it.

    Args:
        name (`str`): its row of the table.
        family (`str`): `"asen"` or `"ipad"`.
        losses (`dict[str, float]`): weights by name of `ATTRIBUTE_LOSSES`.
        regions (`bool`): whether a second branch sees the region.
        changes (`dict[str, Any]`): fields of the configuration.
    """

    name: str
    family: str
    losses: dict[str, float] = field(default_factory=lambda: published_weights("asen"))
    regions: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


def _two_stages(name: str, family: str, first: str, losses: str = "", **changes: Any) -> list[Stage]:
    one_branch, weights = Stage(first, family, changes=changes), published_weights(losses or name.partition(",")[0])
    return [one_branch, replace(one_branch, name=name, losses=weights, regions=True)]


# The region counts a fifth: with the paper's three fifths (beta 0.4) it drowns the branch that has learnt more.
IPAD = {"suppression": "none", "beta": 0.8}
CHAINS = {
    "triplet": [Stage("triplet", "asen", changes={"head": "triplet"})],
    "csn": [Stage("csn", "asen", changes={"head": "csn"})],
    "asen": _two_stages("asen++", "asen", "asen"),
    # What a second stage is worth that only trains on: ASEN++ and RPF train for two.
    "two stages": [Stage("asen (first of two stages)", "asen"), Stage("asen, two stages", "asen")],
    "rpf": _two_stages("rpf", "ipad", "rpf (first stage)", variant="published", use_channel_attention=False, **IPAD),
    "ipad": _two_stages("ipad", "ipad", "ipad (first stage)", **IPAD),
    "one round": _two_stages("ipad, one round", "ipad", "one round (first stage)", **IPAD, num_iterations=1),
    "suppression": [Stage("suppression, eq. 2 (first stage)", "ipad", changes=IPAD | {"suppression": "adaptive"})],
    # RPF's losses are IPAD's without the cluster centres (equations 18 and 20).
    "no diverging": _two_stages("ipad, no diverging", "ipad", "no diverging (first stage)", losses="rpf", **IPAD),
    # Its map passes a layer norm, as RPF's does: then rounds, gate and projection are what sets it apart from RPF.
    "normalized map": _two_stages(
        "ipad, normalized map, no diverging",
        "ipad",
        "normalized map (first stage)",
        losses="rpf",
        **IPAD,
        normalize_map=True,
    ),
}


def run_chain(
    packed: Packed, corpus: PackedCorpus, stages: list[Stage], backbone: str, seed: int, clock: Clock
) -> dict[str, dict[str, float]]:
    """Return row -> metrics of every stage of a model.

    Args:
        packed (`Packed`): settings and pretrained models.
        corpus (`PackedCorpus`): photos with attributes.
        stages (`list[Stage]`): one after the other.
        backbone (`str`): what sees the whole photo, as `Starts.of` takes it.
        seed (`int`): of weights, batches and views.
        clock (`Clock`): the time that is left.
    """
    torch.manual_seed(seed)
    starts, model, rows = Starts.of(packed, backbone), None, {}
    for number, stage in enumerate(stages):
        torch.manual_seed(seed)
        model = make_model(packed, corpus, stage, starts, model).to(corpus.device)
        batches = corpus.on_device(f"batches.{seed}.{number}")  # (steps, items, 3)
        train_stage(packed, corpus, model, stage, starts, batches, seed, clock)
        embed = model.get_attribute_features
        searches = {part: make_searches(embed, corpus, part) for part in ("held_out", "validation")}
        metrics = search_map(searches["validation"]) | branch_maps(searches["validation"], stage)
        rows[stage.name] = metrics | rerank_metrics(packed.settings, searches, seed, corpus.device, clock)
    return rows


def run_untrained(packed: Packed, corpus: PackedCorpus, backbone: str, seed: int) -> dict[str, float]:
    """Return the metrics of the mean of a backbone's map, one embedding for all attributes, before any training.

    Args:
        packed (`Packed`): settings and pretrained models.
        corpus (`PackedCorpus`): photos with attributes.
        backbone (`str`): as `Starts.of` takes it.
        seed (`int`): of random weights.
    """
    torch.manual_seed(seed)
    starts, number = Starts.of(packed, backbone), len(corpus.facts["attributes"])
    model = build_backbone(starts.whole_config).to(corpus.device).eval()
    load_pretrained(model, starts.whole)

    def embed(pixels: Tensor) -> Tensor:
        means = feature_map(model, pixels)[0].flatten(2).mean(2)  # (B, C, h, w) -> (B, C)
        return torch.nn.functional.normalize(means, dim=1)[:, None].expand(-1, number, -1)  # (B, A, C)

    return search_map(make_searches(embed, corpus, "validation"))


def make_model(
    packed: Packed, corpus: PackedCorpus, stage: Stage, starts: Starts, before: PreTrainedModel | None
) -> PreTrainedModel:
    """Return the model of a stage: from pretrained backbones, or from the stage before it."""
    settings, attributes = packed.settings, corpus.facts["attributes"]
    sizes = dict.fromkeys(("attention_dim", "attribute_dim"), settings.attribute_width)
    fields = sizes | {"embedding_dim": starts.embedding_dim, "image_size": settings.image_size, **stage.changes}
    fields |= {"attribute_names": list(attributes), "attribute_values": attributes}
    fields |= {"backbone_config": starts.whole_config}
    if stage.family == "asen":
        region = {"local_backbone_config": starts.whole_config, "local_image_size": settings.region_size}
        region |= {"local_attention_dim": settings.attribute_width}
        model = AsenModel(AsenConfig(**fields, **(region if stage.regions else {})))
        local, frozen_local = starts.whole, starts.frozen_whole
    else:
        region = {"vit_config": starts.region.config, "region_size": settings.region_size}
        region |= {"use_semantic_branch": stage.regions}
        model = IpadModel(IpadConfig(**fields, **region))
        local, frozen_local = starts.region, starts.frozen_region
    if corpus.device.type == "cpu":
        model.set_attn_implementation("eager")  # the faster one in bfloat16: benchmarks/attention_speed.py
    model.load_image_backbone(starts.whole)
    freeze_layers(model.image_backbone, starts.frozen_whole)
    if stage.regions:
        model.load_region_backbone(local)
        freeze_layers(model.region_backbone, frozen_local)
    if before is not None:
        unknown = model.load_state_dict(before.state_dict(), strict=False).unexpected_keys
        if unknown:
            raise ValueError(f"{stage.name} lacks weights of the stage before it: {unknown}")
    return model


def freeze_layers(vit: PreTrainedModel, number: int) -> None:
    """Keep the embeddings and the first layers of a DINOv2 as they are, if `number` is not 0."""
    for part in [vit.embeddings, *vit.encoder.layer[:number]] if number else []:
        part.requires_grad_(False)


def train_stage(
    packed: Packed,
    corpus: PackedCorpus,
    model: PreTrainedModel,
    stage: Stage,
    starts: Starts,
    batches: Tensor,
    seed: int,
    clock: Clock,
) -> None:
    """Train a stage on its drawn batches (steps, items, 3) of row, attribute and value."""
    views, diverging = torch.Generator().manual_seed(seed), make_diverging(packed, corpus, model, stage)

    def loss_of(number: int) -> Tensor:
        rows, attribute_ids, value_ids = batches[number].unbind(1)
        pixels = corpus.pixels(rows, views)
        with mixed_precision(corpus.device):
            outputs = model(pixels, attribute_ids)
            if diverging:
                diverging.push(attribute_ids, value_ids, pixel_values=pixels)
        embeds = {name: outputs[name].flatten(0, 1).float() for name in BRANCHES if outputs.get(name) is not None}
        items = AttributeItems(attribute_ids=attribute_ids, value_ids=value_ids, **embeds)
        triplets = batch_triplets(
            attribute_ids.cpu(), value_ids.cpu(), TRIPLET_LIMIT, torch.Generator().manual_seed(number)
        )
        centres = diverging.centres if diverging else None
        return attribute_losses(items, triplets.to(corpus.device), stage.losses, centres)["loss"]

    def follow() -> None:
        if diverging:
            diverging.update(model)

    optimise(model, with_rates(model, starts.pretrained, packed.settings), len(batches), loss_of, clock, follow)


def make_diverging(
    packed: Packed, corpus: PackedCorpus, model: PreTrainedModel, stage: Stage
) -> AttributeDiverging | None:
    """Return momentum encoder and cluster centres where a loss of the stage reads centres."""
    branches = [ATTRIBUTE_LOSSES[name].centres_of for name in stage.losses if ATTRIBUTE_LOSSES[name].centres_of]
    if not branches:
        return None
    queue = dict(zip(("capacity", "min_filled", "refresh_every"), packed.settings.queue, strict=True))
    num_values = [len(values) for values in corpus.facts["attributes"].values()]
    dims = dict.fromkeys(branches, model.config.embedding_dim)
    return AttributeDiverging(model, num_values, dims, **queue, device=corpus.device)


@torch.inference_mode()
def make_searches(embed: Callable[[Tensor], Tensor], corpus: PackedCorpus, part: str) -> Searches:
    """Return attribute -> searches of the validation rows, fold by fold, or of the held-out rows among each other."""
    first = corpus.facts["num_kept"] if part == "held_out" else corpus.num_train
    last = corpus.num_train if part == "held_out" else len(corpus.photos)
    rows = torch.arange(first, last).split(64)
    embeds = torch.cat([embed(corpus.pixels(some)).float().cpu() for some in rows])  # (N, A, D)
    folds = ["held_out"] if part == "held_out" else [f"fold-{number}" for number in range(corpus.facts["folds"])]
    return {
        name: [_search(embeds[:, number], corpus, f"{fold}.{name}") for fold in folds]
        for number, name in enumerate(corpus.facts["attributes"])
    }


def _search(embeds: Tensor, corpus: PackedCorpus, prefix: str) -> LabelledSearch:
    names = ("query_rows", "candidate_rows", "query_values", "candidate_values")
    queries, candidates, *values = (corpus.tensors[f"{prefix}.{name}"].long() for name in names)
    own = corpus.tensors.get(f"{prefix}.own_places")
    return LabelledSearch(embeds[queries], embeds[candidates], *values, None if own is None else own.long())


def search_map(searches: Searches) -> dict[str, float]:
    """Return MAP of all queries, the mean over attributes, and MAP of each attribute."""
    return attribute_map({name: torch.cat(list(_precisions(parts))) for name, parts in searches.items()})


def _precisions(parts: list[LabelledSearch]) -> Iterable[Tensor]:
    for search in parts:
        yield from (average_precisions_of_hits(ranked.hits) for ranked in search.rankings())


def branch_maps(searches: Searches, stage: Stage) -> dict[str, float]:
    """Return MAP of each branch by itself: the halves of a search feature."""
    if not stage.regions:
        return {}
    maps = {}
    for place, name in enumerate(("whole_photo_map", "region_map")):
        halves = {
            attribute: [
                replace(
                    search,
                    query_embeds=torch.nn.functional.normalize(search.query_embeds.chunk(2, 1)[place], dim=1),
                    gallery_embeds=torch.nn.functional.normalize(search.gallery_embeds.chunk(2, 1)[place], dim=1),
                )
                for search in parts
            ]
            for attribute, parts in searches.items()
        }
        maps[name] = search_map(halves)["map"]
    return maps
