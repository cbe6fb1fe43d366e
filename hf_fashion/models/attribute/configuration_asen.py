"""Configuration of ASEN and ASEN++ (Dong et al., "Fine-Grained Fashion Similarity Prediction by Attribute-Specific
Embedding Learning", IEEE TIP 2021), and of the plain triplet net and CSN."""

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig

from .configuration_attribute import AttributeConfig, as_backbone_config


_CHOICES = {"head": ("asen", "csn", "triplet"), "attention_variant": ("plus", "v1", "v2")}
_SIZES = ("attention_dim", "attribute_dim", "reduction", "local_image_size", "local_attention_dim")


@strict
class AsenConfig(AttributeConfig):
    """Configuration of [`AsenModel`]: the fields of [`AttributeConfig`] and these.

    head (`str`, *optional*, defaults to `"asen"`):
        `"asen"`: attention over places and channels that the attribute steers. `"csn"`: one embedding of the pooled
        map, masked by a learned non-negative mask for each attribute (Veit et al., "Conditional Similarity Networks",
        CVPR 2017). `"triplet"`: one embedding of the pooled map, the same for every attribute.
    attention_variant (`str`, *optional*, defaults to `"plus"`):
        Spatial attention of the branches: `"plus"` is that of ASEN++. `"v1"` and `"v2"` are those of the two
        releases of ASEN (AAAI 2020), for their checkpoints.
    use_spatial_attention (`bool`, *optional*, defaults to `True`):
        Whether the heads of `head="asen"` weigh places. Without it they take the mean of the map, and the region of
        ASEN++ is the whole photo.
    use_channel_attention (`bool`, *optional*, defaults to `True`):
        Whether the heads of `head="asen"` gate channels.
    attention_dim (`int`, *optional*, defaults to 512):
        Dimension c' in which places and attributes are compared.
    attribute_dim (`int`, *optional*, defaults to 512):
        Dimension of the attribute table, which both branches share.
    embedding_dim (`int`, *optional*, defaults to 1024):
        Dimension d of each branch's embedding. `None` leaves the gated channels without a projection, as the second
        release of ASEN does.
    reduction (`int`, *optional*, defaults to 2):
        Factor by which the hidden layer of the channel gate is narrower than the map.
    local_backbone_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of the local branch's backbone. With it the model is ASEN++; without it the model has only the
        global branch, which is ASEN.
    local_image_size (`int`, *optional*, defaults to 112):
        Side of the cropped regions that the local branch sees.
    local_attention_dim (`int`, *optional*, defaults to 256):
        Dimension c' of the local branch.
    global_weight (`float`, *optional*, defaults to 0.6):
        Weight of the global branch in the similarity of two images, in [0, 1].
    """

    model_type = "asen"
    sub_configs = {"backbone_config": AutoConfig, "local_backbone_config": AutoConfig}

    head: str = "asen"
    attention_variant: str = "plus"
    use_spatial_attention: bool = True
    use_channel_attention: bool = True
    attention_dim: int = 512
    attribute_dim: int = 512
    embedding_dim: int | None = 1024
    reduction: int = 2
    local_backbone_config: dict | PreTrainedConfig | None = None
    local_image_size: int = 112
    local_attention_dim: int = 256
    global_weight: float | int = 0.6

    def __post_init__(self, **kwargs):
        if self.local_backbone_config is not None:
            self.local_backbone_config = as_backbone_config(self.local_backbone_config)
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`."""
        super().validate_architecture()
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f'`{name}` must be one of {list(allowed)}; got "{getattr(self, name)}".')
        for name in _SIZES:
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {getattr(self, name)}.")
        if not 0 <= self.global_weight <= 1:
            raise ValueError(f"`global_weight` must lie in [0, 1]; got {self.global_weight}.")
        self._validate_head()

    def _validate_head(self):
        has_local = self.local_backbone_config is not None
        if self.head != "asen" and has_local:
            raise ValueError(
                f'`local_backbone_config` needs attention maps to crop by, so `head="asen"`; got head="{self.head}".'
            )
        if self.head != "asen" and self.attribute_text_dim is not None:
            raise ValueError(
                f'`attribute_text_dim` is for `head="asen"`, whose attention reads the attributes\' rows; got '
                f'head="{self.head}".'
            )
        if not (self.use_spatial_attention or self.use_channel_attention):
            raise ValueError(
                "`use_spatial_attention` and `use_channel_attention` are both False: nothing would depend on the "
                'attribute, as in `head="triplet"`.'
            )
        if self.embedding_dim is None and (self.head != "asen" or has_local):
            raise ValueError(
                '`embedding_dim=None` is for `head="asen"` without `local_backbone_config`: other heads have no gate '
                "before the projection, and both branches must embed in as many dimensions."
            )
        if self.embedding_dim is not None and self.embedding_dim < 1:
            raise ValueError(f"`embedding_dim` must be at least 1 or None; got {self.embedding_dim}.")


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
AsenConfig.register_for_auto_class()

__all__ = ["AsenConfig"]
