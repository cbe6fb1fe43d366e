"""Folders of tiny models of each kind, with the facts and evaluations that a card shows."""

import math
from pathlib import Path

from transformers import (
    CLIPConfig,
    CLIPModel,
    ResNetForImageClassification,
    set_seed,
)

from hf_fashion.hub.cards.facts import CardFacts, CorpusFacts, RunFacts
from tests import tiny_attribute, tiny_e2
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner
from tests.tiny_combiner import tiny_combiner
from tests.tiny_feature_reasoning import tiny_feature_reasoning
from tests.tiny_filip import tiny_filip
from tests.tiny_ipad import tiny_ipad


KINDS = ("e2", "clip", "filip", "asen", "ipad", "feature_reasoning", "captioner", "combiner", "backbone")
RECALLS = {
    f"{direction}_recall{ceiling}@{k}": value + k / 100
    for direction in ("image_to_text", "text_to_image")
    for ceiling, value in (("", 0.3), ("_ceiling", 0.8))
    for k in (1, 5, 10)
}
CROSS_MODAL = RECALLS | {"sum_recall": 2.1, "sum_recall_ceiling": 5.1}
ATTRIBUTES = tiny_attribute.ATTRIBUTE_NAMES
MAPS = {"map": 0.6, "map_chance": 0.3, "mean_attribute_map": 0.5, "mean_attribute_map_chance": 0.25}
RETRIEVAL = MAPS | {"num_queries": 9, "num_without_match": 0}
RETRIEVAL |= {
    f"{name}_{key}": value
    for name in ATTRIBUTES
    for key, value in {"map": 0.7, "map_chance": 0.4, "num_queries": 3, "num_candidates": 20}.items()
}
RERANKING = {"map": 0.65, "initial_map": 0.6, "mean_attribute_map": 0.6, "share_better": 0.5, "share_worse": 0.1}
RERANKING |= {f"{name}_{key}": value for name in ATTRIBUTES for key, value in {"map": 0.7, "initial_map": 0.6}.items()}
CLASSIFICATION = {"accuracy": 0.5} | {f"{name}_accuracy": 0.5 for name in ATTRIBUTES}
METRICS = dict.fromkeys(("e2", "clip", "filip"), CROSS_MODAL) | {"asen": RETRIEVAL, "ipad": RETRIEVAL}
CHANGES = {"brand_num_queries": 9, "brand_combiner_recall@10": 0.5, "combiner_recall": 0.6, "start_recall": 0.5}
METRICS |= {"captioner": {"token_probability": 0.3}}
METRICS |= {"feature_reasoning": RERANKING, "combiner": CHANGES, "backbone": CLASSIFICATION}
COLUMNS = {"image": "image", "caption": "title", "tags": {"brand": "label", "season": "season"}}


def save_model(kind: str, folder: Path) -> Path:
    """Save the model of a kind with its processor."""
    models = {"e2": tiny_e2.tiny_model, "clip": _tiny_clip, "filip": tiny_filip, "ipad": tiny_ipad}
    models |= {"backbone": _tiny_backbone, "combiner": tiny_combiner, "captioner": tiny_captioner}
    models |= {"asen": lambda: tiny_attribute.tiny_asen(local=True), "feature_reasoning": tiny_feature_reasoning}
    processors = dict.fromkeys(("e2", "clip", "filip"), tiny_e2.tiny_processor)
    processors |= dict.fromkeys(("asen", "ipad", "backbone"), tiny_attribute.tiny_image_processor)
    processors["captioner"] = tiny_caption_processor
    models[kind]().save_pretrained(folder)
    if kind in processors:
        processors[kind]().save_pretrained(folder)
    return folder


def run_facts(kind: str = "e2", corpus: str = "shop") -> RunFacts:
    """Return the facts of a run of ten updates, two evaluations among them, one with a loss that is no number."""
    history = [{"update": number, "loss": 3.0 / number, "learning_rate": 1e-3} for number in range(1, 11)]
    history[3]["loss"] = math.nan
    validation = {f"validation/{name}": value for name, value in METRICS[kind].items()}
    history[5:5] = [{"update": 5, **validation}]
    history.append({"update": 10, **validation})
    recipe = {"model": {"start_from": None}, "data": {"corpus": corpus}, "training": {"seed": 3}}
    if kind in ("feature_reasoning", "captioner", "combiner"):
        recipe["model"]["embedder"] = "/home/me/runs/ipad/best"
    of_texts = ("e2", "clip", "filip", "captioner")
    columns = COLUMNS if kind in of_texts else {"image": "image", "attributes": {name: name for name in ATTRIBUTES}}
    facts = CorpusFacts(corpus, rows={"train": 2400, "validation": 6}, columns=columns, findings=["leak: 1 row"])
    return RunFacts(
        recipe, facts, 10, history, 1234, {"device": "CPU, 2 cores", "processes": 1}, 125.0, {"torch": "2.13.0"}
    )


def e2_evaluation(model: str = "runs/e2/best") -> dict:
    """Return what `hf-fashion evaluate --tags --localisation` measures."""
    tags = {"image_tag_accuracy": 0.4, "mean_tag_accuracy": 0.6}
    for name in tiny_e2.TAG_ENTITIES:
        tags |= {f"{name}_num_tags": 4, f"{name}_majority_rate": 0.3, f"{name}_precision_ceiling@10": 0.9}
        tags |= {f"{name}_image_accuracy": 0.4, f"{name}_region_accuracy": 0.6, f"{name}_region_precision@10": 0.5}
    counts = {"num_images": 6, "num_texts": 6, "pairing": "distinct_titles", "protocol": "full"}
    places = {"rows": ["brand_layer_2"], "brand_layer_2_num_images": 6, "brand_layer_2_centre_inside": 0.5}
    places |= {"brand_layer_2_centre_inside_chance": 0.2, "brand_layer_2_centre_inside_ceiling": 0.9}
    evaluation = {"model": model, "corpus": "owner/shop", "split": "test", "dtype": "float32", "skipped_rows": 1}
    evaluation |= {"cross_modal": CROSS_MODAL | counts, "tags": tags, "localisation": places}
    return evaluation | {"entities": tiny_e2.TAG_ENTITIES}


def fashion_iq_evaluation() -> dict:
    """Return what `hf-fashion evaluate --fashion_iq` measures."""
    found = {"entities": ["dress"], "rows": ["photo", "sum"], "dress_num_queries": 7, "dress_num_photos": 20}
    found |= {f"dress_{way}_recall@{k}": 0.25 for way in ("photo", "sum") for k in (10, 50)}
    found |= {"photo_recall": 0.25, "sum_recall": 0.25, "mean_recall": 0.25}
    return {"model": "e2", "corpus": "shop", "split": "validation", "skipped_rows": 0, "fashion_iq": found}


def attribute_evaluation() -> dict:
    """Return what `hf-fashion evaluate --rerankers` measures of an attribute-specific model."""
    evaluation = {"model": "runs/ipad/best", "corpus": "shop", "split": "validation", "seed": 0}
    return evaluation | {"attributes": ATTRIBUTES, "retrieval": RETRIEVAL, "reranking": {"runs/fr/best": RERANKING}}


def save_model_with_facts(kind: str, folder: Path, **facts) -> Path:
    """Save the model of a kind, and the facts of its run."""
    save_model(kind, folder)
    CardFacts(**facts).with_run(run_facts(kind)).write(folder)
    return folder


def _tiny_clip() -> CLIPModel:
    set_seed(0)
    config = tiny_e2.tiny_config()
    text, vision = config.text_config.to_dict(), config.vision_config.to_dict()
    vision = {name: value for name, value in vision.items() if name in ("image_size", "patch_size", *_SIZES)}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).eval()


_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")


def _tiny_backbone() -> ResNetForImageClassification:
    set_seed(0)
    labels = [f"{name}: {value}" for name, values in tiny_attribute.ATTRIBUTE_VALUES.items() for value in values]
    config = tiny_attribute.tiny_backbone_config()
    config.id2label, config.label2id = dict(enumerate(labels)), {label: number for number, label in enumerate(labels)}
    return ResNetForImageClassification(config).eval()
