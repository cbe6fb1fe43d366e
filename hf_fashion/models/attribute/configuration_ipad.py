"""Configuration of IPAD (Wan et al. 2025, "IPAD: iterative positioning and attribute diverging") and of RPF."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig, ViTConfig

from .configuration_attribute import AttributeConfig, check_choices, check_sizes


_CHOICES = {
    "variant": ("paper", "published"),
    "suppression": ("adaptive", "exclude", "none"),
    "readout": ("pooled", "attribute"),
    "fusion": ("concat", "sum"),
}
_SIZES = ("num_iterations", "attention_dim", "attribute_dim", "embedding_dim", "reduction")


def _as_vit_config(config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    if isinstance(config, PreTrainedConfig):
        return config
    fields = {"layer_norm_eps": 1e-6} | dict(config or {})
    fields.pop("model_type", None)
    return ViTConfig(**fields)


@strict
class IpadConfig(AttributeConfig):
    """Configuration of IPAD: the fields of [`AttributeConfig`] and these. RPF is `variant="published"`,
    `suppression="none"`, `use_channel_attention=False`.

    vit_config (`dict` or `ViTConfig`, *optional*):
        Configuration of IP-SE's ViT, whose `image_size` is the side of the cropped regions. Default: ViT-B/16 with
        layer norms of epsilon 1e-6.
    vit_patch_stride (`int`, *optional*):
        Pixels from one patch of the ViT to the next, for checkpoints whose patches overlap. Default: the patch's
        size, so that they do not.
    variant (`str`, *optional*, defaults to `"paper"`):
        `"paper"`: as in the paper's text. `"published"`: as in the authors' released code, for its checkpoints:
        rounds restart from the same inputs, so one is computed; the attribute vector is not projected to the map's
        channels; suppression keeps the cells up to the threshold instead of those above it.
    num_iterations (`int`, *optional*, defaults to 3):
        Rounds of attention (the paper's Iter).
    suppression (`str`, *optional*, defaults to `"adaptive"`):
        How to treat the cells under the threshold of eq. 2: `"adaptive"` gives them the logit 0, `"exclude"` no
        attention at all, `"none"` leaves them as they are.
    suppression_ratio (`float`, *optional*, defaults to 0.95):
        Threshold as a share of the strongest activation (the paper's zeta).
    normalize_map (`bool`, *optional*, defaults to `False`):
        Whether the backbone's map passes a layer norm over its channels before the first round. The authors' code has
        one (so `variant="published"` always does), the paper names none. It takes from the map how strongly a place
        responds; see `benchmarks/README.md`.
    use_spatial_attention (`bool`, *optional*, defaults to `True`):
        Whether rounds have spatial attention (ISA). Without it every cell weighs the same and there is no background.
    use_channel_attention (`bool`, *optional*, defaults to `True`):
        Whether rounds have the channel gate (ICA).
    readout (`str`, *optional*, defaults to `"pooled"`):
        What the last round hands to the head: `"pooled"`, the gated mean of the attended map, or `"attribute"`, the
        gated attribute vector, which is eq. 4 as it is printed.
    use_spatial_branch (`bool`, *optional*, defaults to `True`):
        Whether IP-SP's embedding is part of the search feature. Without it IP-SP still finds the region for IP-SE.
    use_semantic_branch (`bool`, *optional*, defaults to `True`):
        Whether there is IP-SE at all.
    fusion (`str`, *optional*, defaults to `"concat"`):
        How eq. 21 joins the branches: `"concat"` one after the other, `"sum"` as it is printed.
    beta (`float`, *optional*, defaults to 0.4):
        Weight of IP-SP in eq. 21, in [0, 1].
    attention_dim (`int`, *optional*, defaults to 512):
        Dimension c' in which cells and attributes are compared.
    attribute_dim (`int`, *optional*, defaults to 512):
        Dimension of the attribute table, which both branches share.
    embedding_dim (`int`, *optional*, defaults to 1024):
        Dimension d of each branch's embedding.
    reduction (`int`, *optional*, defaults to 2):
        Factor by which the hidden layers of the channel gate and of the heads are narrower than what they work on.
    dropout (`float`, *optional*, defaults to 0.1):
        Dropout within the heads. That of the ViT is in `vit_config`.
    layer_norm_eps (`float`, *optional*, defaults to 1e-6):
        Epsilon of the layer norms outside the ViT.
    """

    model_type = "ipad"
    sub_configs = {"backbone_config": AutoConfig, "vit_config": ViTConfig}

    vit_config: dict | PreTrainedConfig | None = None
    vit_patch_stride: int | None = None
    variant: str = "paper"
    num_iterations: int = 3
    suppression: str = "adaptive"
    suppression_ratio: float = 0.95
    normalize_map: bool = False
    use_spatial_attention: bool = True
    use_channel_attention: bool = True
    readout: str = "pooled"
    use_spatial_branch: bool = True
    use_semantic_branch: bool = True
    fusion: str = "concat"
    beta: float | int = 0.4
    attention_dim: int = 512
    attribute_dim: int = 512
    embedding_dim: int = 1024
    reduction: int = 2
    dropout: float | int = 0.1
    layer_norm_eps: float = 1e-6

    def __post_init__(self, **kwargs):
        self.vit_config = _as_vit_config(self.vit_config)
        super().__post_init__(**kwargs)

    @property
    def num_rounds(self) -> int:
        """`int`: rounds that are computed."""
        return self.num_iterations if self.variant == "paper" else 1

    @property
    def feature_dim(self) -> int:
        """`int`: D, the dimension of the search feature."""
        both = self.use_spatial_branch and self.use_semantic_branch
        return 2 * self.embedding_dim if both and self.fusion == "concat" else self.embedding_dim

    @property
    def map_is_normalized(self) -> bool:
        """`bool`: whether the map passes a layer norm."""
        return self.normalize_map or self.variant == "published"

    @property
    def background_is_projected(self) -> bool:
        """`bool`: whether the background goes through the head's projection; RPF's does not."""
        return self.variant == "paper" or self.use_channel_attention

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`."""
        super().validate_architecture()
        check_choices(self, _CHOICES)
        check_sizes(self, _SIZES)
        if not 0 <= self.beta <= 1:
            raise ValueError(f"`beta` must lie in [0, 1]; got {self.beta}.")
        if not 0 < self.suppression_ratio <= 1:
            raise ValueError(f"`suppression_ratio` must lie in (0, 1]; got {self.suppression_ratio}.")
        if not isinstance(self.vit_config.image_size, int):
            raise ValueError(f"`vit_config.image_size` must be one number; got {self.vit_config.image_size}.")
        if self.vit_patch_stride is not None and not 1 <= self.vit_patch_stride <= self.vit_config.patch_size:
            raise ValueError(
                f"`vit_patch_stride` must be from 1 to `vit_config.patch_size`={self.vit_config.patch_size}, since "
                f"patches leave no gaps; got {self.vit_patch_stride}."
            )
        self._validate_parts()

    def _validate_parts(self):
        if not (self.use_spatial_branch or self.use_semantic_branch):
            raise ValueError("`use_spatial_branch` and `use_semantic_branch` are both False: no feature is left.")
        if not (self.use_spatial_attention or self.use_channel_attention):
            raise ValueError("`use_spatial_attention` and `use_channel_attention` are both False: no round is left.")
        if self.readout == "attribute" and (not self.use_channel_attention or self.variant == "published"):
            raise ValueError(
                '`readout="attribute"` reads the image through the channel gate of `variant="paper"`; set '
                '`readout="pooled"` without `use_channel_attention` or with `variant="published"`.'
            )


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
IpadConfig.register_for_auto_class()

__all__ = ["IpadConfig"]
