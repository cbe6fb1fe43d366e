"""Tiny configurations of models without a Backbone class, by model type."""

from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedConfig


_WIDTHS = [4, 8, 12, 16]
_VIT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
_VIT |= {"image_size": 64, "patch_size": 16}
_FIELDS: dict[str, dict[str, Any]] = {
    "cvt": {"embed_dim": [4, 8, 16], "num_heads": [1, 1, 2], "depth": [1, 2, 3]},
    "efficientnet": {"width_coefficient": 0.1, "depth_coefficient": 0.1, "hidden_dim": 128},
    "mobilenet_v1": {"depth_multiplier": 0.05},
    "mobilenet_v2": {"depth_multiplier": 0.1, "finegrained_output": False},
    "mobilevit": {
        "hidden_sizes": [8, 8, 8],
        "neck_hidden_sizes": [4, 4, 6, 8, 8, 10, 12],
        "num_attention_heads": 2,
    },
    "mobilevitv2": {"width_multiplier": 0.125, "base_attn_unit_dims": [8, 8, 8], "n_attn_blocks": [1, 1, 1]},
    "poolformer": {"hidden_sizes": _WIDTHS, "depths": [1, 1, 1, 1]},
    "regnet": {"embedding_size": 4, "hidden_sizes": _WIDTHS, "depths": [1, 1, 2, 1], "groups_width": 4},
    "segformer": {"hidden_sizes": _WIDTHS, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2]},
    "swiftformer": {"embed_dims": _WIDTHS, "depths": [1, 1, 2, 1]},
}
_FIELDS |= dict.fromkeys(("deit", "ijepa", "vit", "vit_msn", "data2vec-vision"), _VIT)
_FIELDS |= dict.fromkeys(("clip_vision_model", "siglip_vision_model", "chinese_clip_vision_model"), _VIT)


def tiny_bare_config(model_type: str, **kwargs) -> PreTrainedConfig:
    """Return the configuration of a model for images of 64 pixels.

    Args:
        model_type (`str`): a model type of `CONVOLUTIONAL` or `PATCH_TOKENS`.
        kwargs (`dict`): fields to change, such as `feature_stride`.
    """
    return CONFIG_MAPPING[model_type](**(_FIELDS[model_type] | kwargs))
