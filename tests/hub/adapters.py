"""Bases for the adapters of a short training, and recipes that train them on the tiny corpora."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.models.e2.processing_e2 import E2Processor
from hf_fashion.training.attribute.build import square_processor
from tests.scripts.tiny_attribute_run import COLOURS, IPAD, PLACES, SIZE, tiny_attribute_corpus, tiny_attribute_recipe
from tests.scripts.tiny_run import tiny_corpus, tiny_recipe
from tests.tiny_e2 import tiny_image_processor, tiny_model, tiny_tokenizer


STAGES = [{"epochs": 1, "learning_rate": 1e-2}]
ENTITIES = ["colour", "brand"]


def e2_base(folder: Path) -> Path:
    tiny_model(tag_entities=ENTITIES).save_pretrained(folder)
    E2Processor(tiny_image_processor(), tiny_tokenizer(), tag_entities=ENTITIES).save_pretrained(folder)
    return folder


def ipad_base(folder: Path) -> Path:
    torch.manual_seed(0)
    values = {"colour": sorted(list(COLOURS)[:3]), "place": sorted(PLACES)}
    config = IpadConfig(attribute_names=list(values), attribute_values=values, **IPAD["config"])
    IpadModel(config).save_pretrained(folder)
    square_processor(SIZE).save_pretrained(folder)
    return folder


def e2_run(folder: Path, base: str | Path) -> list[str]:
    """Return the arguments of `hf-fashion` that train an adapter of E2 for six updates."""
    tiny_corpus(folder)
    recipe = tiny_recipe(folder, stages=STAGES, save_every=1)
    changes = ["--set", f"model.start_from={base}", "model.config={}"]
    return ["train", "e2", str(recipe), *changes, "--lora_r", "2"]


def ipad_run(folder: Path, base: str | Path) -> list[str]:
    """Return the arguments of `hf-fashion` that train an adapter of IPAD for four updates."""
    tiny_attribute_corpus(folder)
    sampling = {"kind": "triplets", "triplets_an_epoch": 8, "extra_views": 0}
    model = {"architecture": "ipad", "start_from": str(base)}
    recipe = tiny_attribute_recipe(folder, model, sampling, stages=STAGES, save_every=1)
    return ["train", "attribute", str(recipe), "--lora_r", "2"]


def outputs(model: PreTrainedModel) -> torch.Tensor:
    """Return the embeddings of drawn pixels, and the logits of E2."""
    generator = torch.Generator().manual_seed(0)
    e2 = model.config.model_type == "e2"
    inputs = {"pixel_values": torch.randn(2, 3, *[16 if e2 else SIZE] * 2, generator=generator)}
    inputs |= {"input_ids": torch.tensor([[512, 70, 513], [512, 71, 513]])} if e2 else {}
    with torch.no_grad():
        found = model.eval()(**inputs)
    names = ("image_embeds", "region_embeds", "logits_per_image", "attribute_embeds")
    return torch.cat([found[name].flatten() for name in names if found.get(name) is not None])
