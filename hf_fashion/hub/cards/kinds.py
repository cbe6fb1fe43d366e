"""Tell the kinds of models apart: their names, templates, pipeline tags and papers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .papers import ASEN, CAPDEC, CLIP, COMBINER, CSN, DECAP, E2, FILIP, IPAD, SIGLIP, Paper


ZERO_SHOT, FEATURES = "zero-shot-image-classification", "image-feature-extraction"


@dataclass(frozen=True)
class ModelKind:
    """Describe what all cards of a kind of model have in common.

    Args:
        label (`str`): what the model is called.
        template (`str`): file of its text.
        part (`str`): the part of an evaluation that its training measures.
        tags (`tuple[str, ...]`): for the Hub's filters.
        pipeline_tag (`str`, *optional*): the pipeline of transformers that runs it, which the Hub's widget shows. FR
            and combiners have none: they take embeddings, which no pipeline of the Hub takes.
        papers (`tuple[Paper, ...]`, *optional*): to cite.
    """

    label: str
    template: str
    part: str
    tags: tuple[str, ...]
    pipeline_tag: str | None = None
    papers: tuple[Paper, ...] = ()


_ENCODER = "sentence-transformers"  # loads them
_SEARCH = ("image-retrieval", "image-text-retrieval", _ENCODER)
_ATTRIBUTES = ("attribute.md", "retrieval", ("image-retrieval", "attribute-specific-embeddings", _ENCODER), FEATURES)
# E2 without tag entities: its two towers only.
DUAL_ENCODER = ModelKind("a dual encoder", "clip.md", "cross_modal", ("dual-encoder", *_SEARCH), ZERO_SHOT, (CLIP,))
BACKBONE = ModelKind("a backbone", "backbone.md", "classification", (), FEATURES)
_KINDS = {
    "e2": ModelKind("E2", "e2.md", "cross_modal", ("e2", *_SEARCH), ZERO_SHOT, (E2,)),
    "clip": ModelKind("CLIP", "clip.md", "cross_modal", ("clip", *_SEARCH), ZERO_SHOT, (CLIP,)),
    "siglip": ModelKind("SigLIP", "clip.md", "cross_modal", ("siglip", *_SEARCH), ZERO_SHOT, (SIGLIP,)),
    # No sentence-transformers: it has no vector of a photo.
    "filip": ModelKind("FILIP", "filip.md", "cross_modal", ("filip", "image-text-matching"), ZERO_SHOT, (FILIP,)),
    "feature_reasoning": ModelKind(
        "FR", "feature_reasoning.md", "reranking", ("re-ranking", "image-retrieval"), papers=(IPAD,)
    ),
    "captioner": ModelKind(
        "a captioner", "captioner.md", "captions", ("image-captioning",), "image-to-text", (CAPDEC,)
    ),
    "combiner": ModelKind(
        "a combiner", "combiner.md", "changes", ("composed-image-retrieval", "image-retrieval"), papers=(COMBINER,)
    ),
}
_HEADS = {"csn": ("CSN", (CSN,)), "triplet": ("a triplet net", ())}


def model_kind(config: Mapping[str, Any]) -> ModelKind | None:
    """Return the kind of a model, or `None` if there is no card for it.

    Args:
        config (`Mapping[str, Any]`): its configuration, as `config.json` holds it.
    """
    model_type = config.get("model_type")
    if model_type == "asen":
        return _attribute_kind(*_asen_name(config))
    if model_type == "ipad":
        is_rpf = config.get("suppression") == "none" and not config.get("use_channel_attention", True)
        return _attribute_kind("RPF" if is_rpf else "IPAD", () if is_rpf else (IPAD,))
    if model_type in ("e2", "filip"):
        return _towers_kind(config)
    if model_type == "captioner" and config.get("method") == "decap":
        return replace(_KINDS[model_type], papers=(DECAP,))
    if model_type not in _KINDS and any(": " in label for label in (config.get("id2label") or {}).values()):
        return BACKBONE
    return _KINDS.get(model_type)


def _towers_kind(config: Mapping[str, Any]) -> ModelKind:
    kind, other_pipeline = _KINDS[config["model_type"]], FEATURES
    if kind is _KINDS["filip"]:
        other_pipeline = None  # that of features wants one vector
    elif not config.get("vision_config", {}).get("tag_entities", True):  # E2's default entities are not named
        kind = DUAL_ENCODER
    # transformers' pipeline pads texts to the longest, unless the whole model is a SigLIP.
    is_siglip = config.get("text_config", {}).get("model_type") == "siglip_text_model"
    return replace(kind, pipeline_tag=other_pipeline) if is_siglip else kind


def _asen_name(config: Mapping[str, Any]) -> tuple[str, tuple[Paper, ...]]:
    if config.get("head", "asen") in _HEADS:
        return _HEADS[config["head"]]
    return "ASEN++" if config.get("local_backbone_config") else "ASEN", (ASEN,)


def _attribute_kind(label: str, papers: tuple[Paper, ...]) -> ModelKind:
    template, part, tags, pipeline_tag = _ATTRIBUTES
    return ModelKind(label, template, part, tags, pipeline_tag, papers)
