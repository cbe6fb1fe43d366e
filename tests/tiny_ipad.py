"""An IPAD, or RPF, small enough to run anywhere in milliseconds."""

from typing import Any

import torch
from transformers import set_seed

from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from tests.tiny_attribute import tiny_fields


# What makes an IPAD an RPF; the map of the tiny backbone has 12 channels.
RPF = {"variant": "published", "suppression": "none", "use_channel_attention": False, "embedding_dim": 12}


def tiny_vit_fields(**kwargs) -> dict[str, Any]:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32}
    return sizes | {"image_size": 16, "patch_size": 4} | kwargs


def tiny_dinov2_fields(model_type: str = "dinov2", **kwargs) -> dict[str, Any]:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "mlp_ratio": 2}
    return sizes | {"model_type": model_type, "image_size": 16, "patch_size": 4} | kwargs


# IP-SE on other vision transformers, with regions larger than the images that they know.
DINOV2 = {"region_size": 24, "vit_config": tiny_dinov2_fields()}
REGISTERS = {"region_size": 24, "vit_config": tiny_dinov2_fields("dinov2_with_registers", num_register_tokens=3)}


def tiny_ipad_config(**kwargs) -> IpadConfig:
    return IpadConfig(**(tiny_fields(vit_config=tiny_vit_fields()) | kwargs))


def tiny_ipad(seed: int = 0, **kwargs) -> IpadModel:
    set_seed(seed)
    return IpadModel(tiny_ipad_config(**kwargs)).eval()


def tiny_ipad_images(number: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(number, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
