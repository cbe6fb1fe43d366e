"""Tiny FILIPs with random weights: on a CLIP's towers, and on the vision models of other families."""

from transformers import set_seed

from hf_fashion.models.e2.configuration_filip import FilipConfig
from hf_fashion.models.e2.modeling_filip import FilipModel
from tests.tiny_e2 import tiny_config
from tests.tiny_towers import tiny_bert, tiny_tower


def tiny_filip_config(**kwargs) -> FilipConfig:
    config = tiny_config(tag_entities=[], fusion_layers=[])
    sections = {"text_config": config.text_config.to_dict(), "vision_config": config.vision_config.to_dict()}
    return FilipConfig(**sections, **({"projection_dim": 12} | kwargs))


def tiny_filip(seed: int = 0, **kwargs) -> FilipModel:
    """Return a FILIP that takes what `tiny_e2.tiny_processor` makes of photos and texts."""
    set_seed(seed)
    return FilipModel(tiny_filip_config(**kwargs)).eval()


def filip_on(family: str) -> FilipModel:
    """Return a FILIP of a vision model of a family and a BERT."""
    set_seed(0)
    return FilipModel.from_towers(tiny_tower(family), tiny_bert(), projection_dim=12)
