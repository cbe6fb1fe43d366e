"""What the configurations of all attribute-specific models share: attributes, their values, backbone, region."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig, ResNetConfig


def as_backbone_config(config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    """Return the configuration of a backbone from a configuration or a dict.

    Args:
        config (`PreTrainedConfig`, `dict` or `None`): `None` is ResNet-50 up to its third stage; a dictionary names
            its `model_type`.

    Raises:
        ValueError: if a dictionary has no `model_type` that transformers knows.
    """
    if config is None:
        return ResNetConfig(out_features=["stage3"])
    if isinstance(config, PreTrainedConfig):
        return config
    fields = dict(config)
    model_type = fields.pop("model_type", None)
    if model_type not in CONFIG_MAPPING:
        raise ValueError(
            f"A backbone's configuration must name a `model_type` of transformers, such as `resnet`; got {model_type}."
        )
    return CONFIG_MAPPING[model_type](**fields)


def check_choices(config: PreTrainedConfig, choices: Mapping[str, Sequence[str]]) -> None:
    """Raise if a field has a value that is not among its choices.

    Args:
        config (`PreTrainedConfig`): the configuration to check.
        choices (`dict[str, tuple[str, ...]]`): field -> allowed values.

    Raises:
        ValueError: if a field holds another value.
    """
    for name, allowed in choices.items():
        if getattr(config, name) not in allowed:
            raise ValueError(f'`{name}` must be one of {list(allowed)}; got "{getattr(config, name)}".')


def check_sizes(config: PreTrainedConfig, names: Sequence[str]) -> None:
    """Raise if a size is below 1.

    Args:
        config (`PreTrainedConfig`): the configuration to check.
        names (`list[str]`): fields that must be at least 1.

    Raises:
        ValueError: if one is less.
    """
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"`{name}` must be at least 1; got {getattr(config, name)}.")


@strict
class AttributeConfig(PreTrainedConfig):
    """Fields that every attribute-specific model has.

    attribute_names (`list[str]`, *optional*, defaults to `["neckline", "sleeve_length"]`):
        Names of the attributes; their order is that of attribute ids.
    attribute_values (`dict[str, list[str]]`, *optional*):
        Value vocabulary of each attribute; the order of a list is that of value ids. Attributes without an entry get
        an empty vocabulary.
    backbone_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of any vision model of transformers that gives feature maps. The map is the last of
        `out_features` of models with a Backbone class (ResNet, ConvNeXt, Swin, DINOv2 and more), and the last
        hidden state of stride `feature_stride` of others (MobileNetV2, EfficientNet, RegNet, ViT, CLIP's vision
        model and more). Default: ResNet-50 up to its third stage.
    image_size (`int`, *optional*, defaults to 224):
        Side of the square images that the backbone sees.
    crop_threshold (`float`, *optional*, defaults to 0.1):
        Share of the attention's range above which a cell belongs to the region of interest.
    published_boxes (`bool`, *optional*, defaults to `False`):
        Whether a region of an odd edge that reaches one pixel beyond the input stays there, as in the authors' code:
        for converted checkpoints. Otherwise every region is pushed inside.
    attribute_text_dim (`int`, *optional*):
        Dimension of text vectors that the attributes' rows are projected from, so that an attribute can be added by
        its name. Default: a table of learnt rows.
    """

    sub_configs = {"backbone_config": AutoConfig}

    attribute_names: list[str] = field(default_factory=lambda: ["neckline", "sleeve_length"])
    attribute_values: dict[str, list[str]] = field(default_factory=dict)
    backbone_config: dict | PreTrainedConfig | None = None
    image_size: int = 224
    crop_threshold: float = 0.1
    published_boxes: bool = False
    attribute_text_dim: int | None = None

    def __post_init__(self, **kwargs):
        self.backbone_config = as_backbone_config(self.backbone_config)
        self.attribute_values = {name: [] for name in self.attribute_names} | self.attribute_values
        super().__post_init__(**kwargs)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; an unset `attribute_text_dim` is left out, which keeps fingerprints of earlier models."""
        fields = super().to_dict()
        if fields["attribute_text_dim"] is None:
            del fields["attribute_text_dim"]
        return fields

    @property
    def num_attributes(self) -> int:
        """`int`: A, the number of attributes."""
        return len(self.attribute_names)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`."""
        if not self.attribute_names or len(set(self.attribute_names)) != len(self.attribute_names):
            raise ValueError(f"`attribute_names` must be distinct names, at least one; got {self.attribute_names}.")
        unknown = sorted(set(self.attribute_values) - set(self.attribute_names))
        if unknown:
            raise ValueError(
                f"`attribute_values` has attributes that `attribute_names` lacks: {unknown}; known are "
                f"{self.attribute_names}."
            )
        for name, values in self.attribute_values.items():
            if len(set(values)) != len(values):
                raise ValueError(f'`attribute_values["{name}"]` must be distinct; got {values}.')
        if not 0 <= self.crop_threshold < 1:
            raise ValueError(f"`crop_threshold` must lie in [0, 1); got {self.crop_threshold}.")
        if self.attribute_text_dim is not None:
            check_sizes(self, ["attribute_text_dim"])


__all__ = ["AttributeConfig", "as_backbone_config", "check_choices", "check_sizes"]
