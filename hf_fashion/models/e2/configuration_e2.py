"""Configuration of E2 (Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations")."""

from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig, PreTrainedConfig


@strict
class E2VisionConfig(CLIPVisionConfig):
    """Configuration of E2's vision tower: every field of `CLIPVisionConfig`, and what the selection tokens need.

    tag_entities (`list[str]`, *optional*, defaults to `["composition", "sub_category", "brand", "season"]`):
        Names of the tag entities, in the order of the region embeddings.
    tokens_per_entity (`int`, *optional*, defaults to 2):
        Number of selection tokens of each entity (the paper's n).
    fusion_layers (`list[int]`, *optional*):
        Layers, counted from 1, that a fusion block follows. The default is two blocks: after two thirds of the layers
        and before the last layer, which is `[8, 11]` in a tower of 12. With an empty list the selection tokens take
        part in self-attention only.
    selection_temperature (`float`, *optional*, defaults to 1.0):
        Temperature of the Gumbel-softmax that selects patches in training. Inference takes the arg-max.
    drop_patch_tokens (`bool`, *optional*, defaults to `True`):
        Whether the layers after the last fusion block see the class and selection tokens only.
    last_entity_pools_one_token (`bool`, *optional*, defaults to `False`):
        Pool the last entity over its first token only, as the authors' released code does. For converted checkpoints.
    """

    model_type = "e2_vision_model"
    base_config_key = "vision_config"

    tag_entities: list[str] = field(default_factory=lambda: ["composition", "sub_category", "brand", "season"])
    tokens_per_entity: int = 2
    fusion_layers: list[int] | tuple[int, ...] | None = None
    selection_temperature: float = 1.0
    drop_patch_tokens: bool = True
    last_entity_pools_one_token: bool = False

    def __post_init__(self, **kwargs):
        if self.fusion_layers is None:
            two_thirds, before_last = self.num_hidden_layers * 2 // 3, self.num_hidden_layers - 1
            self.fusion_layers = sorted({layer for layer in (two_thirds, before_last) if layer >= 1})
        self.fusion_layers = list(self.fusion_layers)
        super().__post_init__(**kwargs)

    @property
    def num_selection_tokens(self) -> int:
        """`int`: All selection tokens together, E * n."""
        return len(self.tag_entities) * self.tokens_per_entity

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`."""
        super().validate_architecture()
        if not self.tag_entities or len(set(self.tag_entities)) != len(self.tag_entities):
            raise ValueError(f"`tag_entities` must be distinct names, at least one; got {self.tag_entities}.")
        if self.tokens_per_entity < 1:
            raise ValueError(f"`tokens_per_entity` must be at least 1; got {self.tokens_per_entity}.")
        if self.selection_temperature <= 0:
            raise ValueError(f"`selection_temperature` must be above 0; got {self.selection_temperature}.")
        layers = self.fusion_layers
        if layers != sorted(set(layers)) or any(not 1 <= layer <= self.num_hidden_layers for layer in layers):
            raise ValueError(
                "`fusion_layers` must rise strictly within "
                f"1..num_hidden_layers={self.num_hidden_layers}; got {layers}."
            )


_VISION_FIELDS = (
    "tag_entities",
    "tokens_per_entity",
    "fusion_layers",
    "selection_temperature",
    "drop_patch_tokens",
    "last_entity_pools_one_token",
)


def _as_dict(config: PreTrainedConfig | dict | None) -> dict[str, Any]:
    return config.to_dict() if isinstance(config, PreTrainedConfig) else dict(config or {})


@strict
class E2Config(PreTrainedConfig):
    """Configuration of E2: CLIP's two towers, selection tokens in the vision tower, and the two losses.

    text_config (`dict` or `CLIPTextConfig`, *optional*):
        Configuration of the text tower, which is CLIP's.
    vision_config (`dict` or `E2VisionConfig`, *optional*):
        Configuration of the vision tower. The fields of [`E2VisionConfig`] that CLIP lacks (`tag_entities`,
        `tokens_per_entity`, `fusion_layers`, `selection_temperature`, `drop_patch_tokens`) may also be given to
        `E2Config` itself and are read back from it.
    projection_dim (`int`, *optional*, defaults to 512):
        Dimension P of the space that images, regions, texts and tags share.
    logit_scale_init_value (`float`, *optional*, defaults to 2.6592):
        Initial logarithm of the factor that multiplies cosines.
    contrastive_loss_weight (`float`, *optional*, defaults to 0.5):
        Weight of the loss between images and texts.
    region_loss_weight (`float`, *optional*, defaults to 0.5):
        Weight of the loss between region embeddings and tags.
    region_targets (`str`, *optional*, defaults to `"multi_positive"`):
        `"multi_positive"`: every pair of the batch with the same tag is a match. `"diagonal"`: only a product's own
        tag is, as in the authors' released code.
    initializer_factor (`float`, *optional*, defaults to 1.0):
        Factor on the standard deviation of every initial weight.
    initializer_range (`float`, *optional*, defaults to 0.02):
        Standard deviation of the initial weights that CLIP has no own rule for.
    """

    model_type = "e2"
    sub_configs = {"text_config": CLIPTextConfig, "vision_config": E2VisionConfig}

    text_config: dict | PreTrainedConfig | None = None
    vision_config: dict | PreTrainedConfig | None = None
    projection_dim: int = 512
    logit_scale_init_value: float | int = 2.6592
    contrastive_loss_weight: float | int = 0.5
    region_loss_weight: float | int = 0.5
    region_targets: str = "multi_positive"
    initializer_factor: float = 1.0
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs):
        vision = _as_dict(self.vision_config)
        vision |= {name: kwargs.pop(name) for name in _VISION_FIELDS if name in kwargs}
        # One shared space: a projection of another size in a sub-config would only be overruled silently.
        self.text_config = CLIPTextConfig(**(_as_dict(self.text_config) | {"projection_dim": self.projection_dim}))
        self.vision_config = E2VisionConfig(**(vision | {"projection_dim": self.projection_dim}))
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`."""
        if self.region_targets not in ("multi_positive", "diagonal"):
            raise ValueError(f'`region_targets` must be "multi_positive" or "diagonal"; got "{self.region_targets}".')
        if self.contrastive_loss_weight < 0 or self.region_loss_weight < 0:
            raise ValueError(
                "Loss weights must not be negative; got contrastive_loss_weight="
                f"{self.contrastive_loss_weight}, region_loss_weight={self.region_loss_weight}."
            )

    @classmethod
    def from_clip_config(cls, clip_config: CLIPConfig, **kwargs) -> "E2Config":
        """Return the configuration of an E2 whose towers have a CLIP's shapes.

        Args:
            clip_config (`CLIPConfig`): configuration of the CLIP.
            kwargs (`dict`, *optional*): fields of [`E2Config`] or [`E2VisionConfig`] that CLIP lacks.
        """
        vision = clip_config.vision_config.to_dict()
        vision.pop("model_type")
        shared = {
            "text_config": clip_config.text_config.to_dict(),
            "vision_config": vision,
            "projection_dim": clip_config.projection_dim,
            "logit_scale_init_value": clip_config.logit_scale_init_value,
        }
        return cls(**(shared | kwargs))


def _vision_field(name: str) -> property:
    def read(self):
        return getattr(self.vision_config, name)

    def write(self, value):  # from_pretrained(..., name=value) sets fields after the configuration is built
        setattr(self.vision_config, name, value)

    return property(read, write, doc=f"`{name}` of the vision configuration.")


for _name in _VISION_FIELDS:
    setattr(E2Config, _name, _vision_field(_name))


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2Config.register_for_auto_class()
E2VisionConfig.register_for_auto_class()

__all__ = ["E2Config", "E2VisionConfig"]
