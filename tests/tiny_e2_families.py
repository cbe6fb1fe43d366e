"""Tiny models of two towers whose vision side is of each kind that E2 runs on: an E2, or its baseline."""

from transformers import (
    BertConfig,
    CLIPConfig,
    CLIPModel,
    DeiTConfig,
    Dinov2Config,
    Dinov2WithRegistersConfig,
    DINOv3ViTConfig,
    IJepaConfig,
    SiglipTextConfig,
    SiglipVisionConfig,
    ViTConfig,
    ViTMSNConfig,
    set_seed,
)

from hf_fashion.models.e2.configuration_e2 import E2Config
from hf_fashion.models.e2.modeling_e2 import E2Model
from tests.tiny_e2 import IMAGE_SIZE, MAX_LENGTH, TAG_ENTITIES, tiny_config, tiny_tokenizer


SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
VISION_CONFIGS = {
    "dinov2": Dinov2Config,
    "dinov2_with_registers": Dinov2WithRegistersConfig,
    "dinov3_vit": DINOv3ViTConfig,
    "vit": ViTConfig,
    "vit_msn": ViTMSNConfig,
    "deit": DeiTConfig,
    "ijepa": IJepaConfig,
    "siglip_vision_model": SiglipVisionConfig,
}
FAMILIES = ("clip_vision_model", *VISION_CONFIGS)


def tiny_e2_on(family: str, **kwargs) -> E2Model:
    """Return an E2 on a vision model of a family, with the tokenizer of `tiny_e2`, from a fixed seed."""
    set_seed(0)
    if family == "clip_vision_model":
        return E2Model(tiny_config(**kwargs)).eval()
    vision = VISION_CONFIGS[family](**SIZES, image_size=IMAGE_SIZE, patch_size=4)
    defaults = {"projection_dim": 16, "tag_entities": TAG_ENTITIES, "fusion_layers": [2]}
    return E2Model(E2Config(vision_config=vision, text_config=_text(family), **(defaults | kwargs))).eval()


def _text(family: str) -> BertConfig | SiglipTextConfig:
    sizes = SIZES | {"vocab_size": len(tiny_tokenizer()), "max_position_embeddings": MAX_LENGTH}
    if family == "siglip_vision_model":
        return SiglipTextConfig(**sizes, projection_size=16)
    return BertConfig(**sizes, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def tiny_clip() -> CLIPModel:
    """Return a CLIP of the towers of `tiny_e2`."""
    config = tiny_config()
    vision = SIZES | {"image_size": IMAGE_SIZE, "patch_size": 4}
    set_seed(0)
    whole = CLIPConfig(
        text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=config.projection_dim
    )
    return CLIPModel(whole).eval()


def tiny_baseline() -> E2Model:
    """Return the baseline of an E2 on DINOv2: the same towers without selection tokens."""
    return tiny_e2_on("dinov2", tag_entities=[], fusion_layers=[])
