"""Vision and text encoders of transformers, tiny and with random weights, that E2 runs on next to CLIP."""

import torch
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    DeiTConfig,
    DeiTModel,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    IJepaConfig,
    IJepaModel,
    PreTrainedModel,
    SiglipConfig,
    SiglipModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
    ViTMSNConfig,
    ViTMSNModel,
)
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.clip.modeling_clip import eager_attention_forward

from hf_fashion.models.e2.modeling_e2 import E2Model


LAYERS = 3
SIZES = {"hidden_size": 16, "num_hidden_layers": LAYERS, "num_attention_heads": 2}
VISION = SIZES | {"image_size": 16, "patch_size": 4, "intermediate_size": 24}
TEXT = SIZES | {"vocab_size": 99, "intermediate_size": 24, "max_position_embeddings": 12}
_CLASSES = {
    "siglip_vision_model": (SiglipVisionModel, SiglipVisionConfig),
    "dinov2": (Dinov2Model, Dinov2Config),
    "dinov2_with_registers": (Dinov2WithRegistersModel, Dinov2WithRegistersConfig),
    "dinov3_vit": (DINOv3ViTModel, DINOv3ViTConfig),
    "vit": (ViTModel, ViTConfig),
    "vit_msn": (ViTMSNModel, ViTMSNConfig),
    "deit": (DeiTModel, DeiTConfig),
    "ijepa": (IJepaModel, IJepaConfig),
}


def tiny_tower(family: str) -> PreTrainedModel:
    """Return a vision encoder of a family; where it has registers, four of them."""
    model, config = _CLASSES[family]
    registers = {"num_register_tokens": 4} if family in ("dinov2_with_registers", "dinov3_vit") else {}
    torch.manual_seed(0)
    # Dinov2's configurations have no intermediate_size, and take it as a field of the user's.
    return model(config(**VISION, **registers)).eval()


def tiny_bert() -> BertModel:
    torch.manual_seed(0)
    return BertModel(BertConfig(**TEXT)).eval()


def tiny_two_towers() -> SiglipModel:
    """Return a whole SigLIP; its temperature and bias are of no start value."""
    torch.manual_seed(0)
    model = SiglipModel(SiglipConfig(vision_config=VISION, text_config=TEXT | {"projection_size": 16})).eval()
    model.logit_scale.data.fill_(2.0)
    model.logit_bias.data.fill_(-3.0)
    return model


def tiny_clip(patch_size: int = 4, layers: int = 3) -> CLIPModel:
    sizes = {"hidden_size": 16, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 24}
    vision = sizes | {"image_size": 16, "patch_size": patch_size}
    text = sizes | {"vocab_size": 99, "bos_token_id": 97, "eos_token_id": 98}
    torch.manual_seed(0)
    return CLIPModel(CLIPConfig(vision_config=vision, text_config=text, projection_dim=12)).eval()


def tiny_pixels(size: int = 16) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def hide_new_tokens(model: E2Model, first: int) -> None:
    """Let no token of a model's images see its two selection tokens, which follow `first` others."""

    def attention(module, query, key, value, attention_mask, scaling, **kwargs):
        seen = torch.tensor([place not in (first, first + 1) for place in range(key.shape[2])])
        return eager_attention_forward(module, query, key[:, :, seen], value[:, :, seen], attention_mask, scaling)

    ALL_ATTENTION_FUNCTIONS.register("without_new_tokens", attention)
    model.vision_model.config._attn_implementation = "without_new_tokens"
