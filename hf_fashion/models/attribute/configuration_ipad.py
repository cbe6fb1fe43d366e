"""Configuration of IPAD (Wan et al. 2025, "IPAD: iterative positioning and attribute diverging") and of RPF."""

from typing import Any, NamedTuple

from huggingface_hub.dataclasses import strict
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from .configuration_attribute import AttributeConfig, check_choices, check_sizes


_CHOICES = {
    "variant": ("paper", "published"),
    "suppression": ("adaptive", "exclude", "none"),
    "readout": ("pooled", "attribute"),
    "fusion": ("concat", "sum"),
}
_SIZES = ("num_iterations", "attention_dim", "attribute_dim", "embedding_dim", "reduction")


class RegionFamily(NamedTuple):
    """What IP-SE must know of a family of vision transformers, all of which begin with one class token.

    norm (`str`): path of the layer norm behind the last layer.
    registers (`bool`): whether `num_register_tokens` tokens follow the class token.
    pooler (`bool`): whether the model has a pooler unless it is built without.
    interpolates (`bool`): whether it must be told to interpolate its positions; the others do so for every size.
    """

    norm: str
    registers: bool = False
    pooler: bool = False
    interpolates: bool = False


# Model type of `vit_config` -> its family.
REGION_FAMILIES = {
    "vit": RegionFamily("layernorm", pooler=True, interpolates=True),
    "dinov2": RegionFamily("layernorm"),
    "dinov2_with_registers": RegionFamily("layernorm", registers=True),
}


def _as_vit_config(config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    fields = {} if isinstance(config, PreTrainedConfig) else dict(config or {})
    model_type = config.model_type if isinstance(config, PreTrainedConfig) else fields.pop("model_type", "vit")
    if model_type not in REGION_FAMILIES:
        raise ValueError(
            f"`vit_config` must be of a model type that IP-SE runs on, one of {list(REGION_FAMILIES)}; got "
            f"{model_type!r}."
        )
    if isinstance(config, PreTrainedConfig):
        return config
    return CONFIG_MAPPING[model_type](**({"layer_norm_eps": 1e-6} | fields))


@strict
class IpadConfig(AttributeConfig):
    """Configuration of IPAD: the fields of [`AttributeConfig`] and these. RPF is `variant="published"`,
    `suppression="none"`, `use_channel_attention=False`.

    vit_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of the vision transformer of IP-SE: a ViT, a DINOv2, or a DINOv2 with registers. A dictionary
        names its `model_type` (`"vit"`, `"dinov2"`, `"dinov2_with_registers"`); one without it is a ViT's. Its layer
        norms have epsilon 1e-6 unless it says otherwise. Default: ViT-B/16.
    region_size (`int`, *optional*):
        Side of the cropped regions, a multiple of the patch size of `vit_config`; positions are interpolated to it.
        Default: `vit_config.image_size`, which is 518 for the published DINOv2.
    vit_patch_stride (`int`, *optional*):
        Pixels from one patch to the next, for checkpoints of a ViT (no DINOv2) whose patches overlap. Regions then
        have the size of `vit_config.image_size`. Default: the patch's size, so that they do not overlap.
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
    sub_configs = {"backbone_config": AutoConfig, "vit_config": AutoConfig}

    vit_config: dict | PreTrainedConfig | None = None
    region_size: int | None = None
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

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs) -> PreTrainedConfig | tuple[PreTrainedConfig, dict]:
        """Build the configuration from a dict. `AutoModel.from_pretrained(folder, variant="fp16")` names files by the
        word that is also a field here, so only a value of the field changes it."""
        files = {} if kwargs.get("variant") in (None, *_CHOICES["variant"]) else {"variant": kwargs.pop("variant")}
        read = super().from_dict(config_dict, **kwargs)
        return (read[0], read[1] | files) if kwargs.get("return_unused_kwargs") else read

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; an unset `region_size` is left out, which keeps the fingerprints of earlier models."""
        fields = super().to_dict()
        if fields["region_size"] is None:
            del fields["region_size"]
        return fields

    @property
    def region_edge(self) -> int:
        """`int`: side of the cropped regions: `region_size`, or that which `vit_config` names."""
        return self.region_size or self.vit_config.image_size

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
        self._validate_regions()
        self._validate_parts()

    def _validate_regions(self):
        vit, size = self.vit_config, self.region_size
        if not isinstance(vit.image_size, int):
            raise ValueError(f"`vit_config.image_size` must be one number; got {vit.image_size}.")
        if self.vit_patch_stride is not None:
            self._validate_patch_stride()
        elif size is not None and (not isinstance(vit.patch_size, int) or size < 1 or size % vit.patch_size):
            raise ValueError(
                f"`region_size` must be a multiple of `vit_config.patch_size`={vit.patch_size}, which must be one "
                f"number; got {size}."
            )

    def _validate_patch_stride(self):
        vit, stride = self.vit_config, self.vit_patch_stride
        if vit.model_type != "vit":
            raise ValueError(
                f"`vit_patch_stride` is for checkpoints of a ViT whose patches overlap, and `vit_config` is of type "
                f"{vit.model_type!r}: remove it."
            )
        if not 1 <= stride <= vit.patch_size:
            raise ValueError(
                f"`vit_patch_stride` must be from 1 to `vit_config.patch_size`={vit.patch_size}, since patches leave "
                f"no gaps; got {stride}."
            )
        if self.region_size not in (None, vit.image_size):
            raise ValueError(
                f"With `vit_patch_stride` there are positions for regions of `vit_config.image_size`={vit.image_size} "
                f"only; got `region_size`={self.region_size}."
            )

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

__all__ = ["REGION_FAMILIES", "IpadConfig", "RegionFamily"]
