"""Configuration of E2 (Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations")."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, CLIPConfig, CLIPTextConfig, CLIPVisionConfig, PreTrainedConfig

from .towers_e2 import tower_family


@dataclass(kw_only=True)
class SelectionConfig:
    """Fields of a vision tower that the selection tokens need; [`E2VisionConfig`] says what each is for."""

    tag_entities: list[str] = field(default_factory=lambda: ["composition", "sub_category", "brand", "season"])
    tokens_per_entity: int = 2
    fusion_layers: list[int] | tuple[int, ...] | None = None
    first_selection_layer: int = 1
    selection_temperature: float | int = 1.0
    drop_patch_tokens: bool = True
    last_entity_pools_one_token: bool = False
    pool_regions: bool = False

    # CLIP's tower is always projected; an E2TowerConfig decides.
    project_tower: ClassVar[bool] = True

    @property
    def num_selection_tokens(self) -> int:
        """`int`: All selection tokens together, E * n."""
        return len(self.tag_entities) * self.tokens_per_entity

    def _choose_fusion_layers(self) -> None:
        if not self.tag_entities:  # no token enters; the last layer leaves those below free to be frozen
            self.first_selection_layer = self.num_hidden_layers
            self.fusion_layers = [] if self.fusion_layers is None else self.fusion_layers
        if self.fusion_layers is None:
            two_thirds, before_last = self.num_hidden_layers * 2 // 3, self.num_hidden_layers - 1
            first = self.first_selection_layer
            self.fusion_layers = sorted({layer for layer in (two_thirds, before_last) if layer >= first})
        self.fusion_layers = list(self.fusion_layers)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`, and by the model."""
        super().validate_architecture()
        if len(set(self.tag_entities)) != len(self.tag_entities):
            raise ValueError(f"`tag_entities` must be distinct names; got {self.tag_entities}.")
        if self.fusion_layers and not self.tag_entities:
            raise ValueError(f"`fusion_layers` must be empty without `tag_entities`; got {self.fusion_layers}.")
        if self.pool_regions and not self.tag_entities:
            raise ValueError("`pool_regions` needs `tag_entities`: without any there are no regions.")
        if self.tokens_per_entity < 1:
            raise ValueError(f"`tokens_per_entity` must be at least 1; got {self.tokens_per_entity}.")
        if self.selection_temperature <= 0:
            raise ValueError(f"`selection_temperature` must be above 0; got {self.selection_temperature}.")
        depth, first, layers = self.num_hidden_layers, self.first_selection_layer, self.fusion_layers
        if not 1 <= first <= depth:
            raise ValueError(f"`first_selection_layer` must be within 1..num_hidden_layers={depth}; got {first}.")
        if layers != sorted(set(layers)) or any(not first <= layer <= depth for layer in layers):
            raise ValueError(
                f"`fusion_layers` must rise strictly within first_selection_layer={first}..num_hidden_layers={depth}; "
                f"got {layers}."
            )


@strict
class E2VisionConfig(SelectionConfig, CLIPVisionConfig):
    """Configuration of E2's vision tower on CLIP: the fields of `CLIPVisionConfig`, and those of the selection tokens.

    tag_entities (`list[str]`, *optional*, defaults to `["composition", "sub_category", "brand", "season"]`):
        Names of the tag entities, in the order of the region embeddings. Without any, E2 is its two towers only.
    tokens_per_entity (`int`, *optional*, defaults to 2):
        Number of selection tokens of each entity (the paper's n).
    fusion_layers (`list[int]`, *optional*):
        Layers, counted from 1, that a fusion block follows. The default is two blocks: after two thirds of the layers
        and before the last layer, which is `[8, 11]` in a tower of 12. With an empty list the selection tokens take
        part in self-attention only.
    first_selection_layer (`int`, *optional*, defaults to 1):
        Layer, counted from 1, that the selection tokens enter before. The layers below it see what the tower without
        them sees, so that a training with these layers frozen can compute their output once.
    selection_temperature (`float`, *optional*, defaults to 1.0):
        Temperature of the Gumbel-softmax that selects patches in training. Inference takes the arg-max.
    drop_patch_tokens (`bool`, *optional*, defaults to `True`):
        Whether the layers after the last fusion block see the class and selection tokens only.
    last_entity_pools_one_token (`bool`, *optional*, defaults to `False`):
        Pool the last entity over its first token only, as the authors' released code does. For converted checkpoints.
    pool_regions (`bool`, *optional*, defaults to `False`):
        Add a projection of the mean region embedding to the image embedding, which the paper's model does not do. The
        projection is 0 in a new model.
    """

    model_type = "e2_vision_model"
    base_config_key = "vision_config"

    def __post_init__(self, **kwargs):
        self._choose_fusion_layers()
        super().__post_init__(**kwargs)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs) -> PreTrainedConfig:
        """Read the configuration of a vision tower, or of the vision tower of a whole E2, on CLIP or not."""
        fields, _ = cls.get_config_dict(pretrained_model_name_or_path, **kwargs)
        kind = fields.get("vision_config", fields).get("model_type")
        if kind == E2TowerConfig.model_type:
            return E2TowerConfig.from_pretrained(pretrained_model_name_or_path, **kwargs)
        return super().from_pretrained(pretrained_model_name_or_path, **kwargs)


@strict
class E2TowerConfig(SelectionConfig, PreTrainedConfig):
    """Configuration of E2's vision tower on another vision model of transformers than CLIP's.

    tower_config (`dict` or `PreTrainedConfig`):
        Configuration of the vision model, of a family in `TOWER_FAMILIES`.
    projection_dim (`int`, *optional*, defaults to 512):
        Dimension P of the space that images and regions share with texts.
    project_tower (`bool`, *optional*, defaults to `True`):
        Whether a linear projection leads from the tower's embedding to that space.
    initializer_factor (`float`, *optional*, defaults to 1.0):
        Factor on the standard deviation of the new parts' initial weights.
    initializer_range (`float`, *optional*, defaults to 0.02):
        Standard deviation of the initial weights that have no own rule.
    drop_patch_tokens (`bool`, *optional*):
        Whether the layers after the last fusion block see the first and selection tokens only. Default: where the
        tower's image embedding is made of its class token; others need the patches until the end.

    The other fields are those of the selection tokens: see [`E2VisionConfig`].
    """

    model_type = "e2_tower_model"
    base_config_key = "vision_config"
    sub_configs = {"tower_config": AutoConfig}

    tower_config: dict | PreTrainedConfig | None = None
    projection_dim: int = 512
    project_tower: bool = True
    initializer_factor: float = 1.0
    initializer_range: float = 0.02
    drop_patch_tokens: bool | None = None

    def __post_init__(self, **kwargs):
        self.tower_config = _typed_config(self.tower_config, "dinov2")
        if self.drop_patch_tokens is None:
            self.drop_patch_tokens = tower_family(self.tower_config).pooling == "class_token"
        self._choose_fusion_layers()
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`, and by the model."""
        super().validate_architecture()
        family = tower_family(self.tower_config)
        if self.drop_patch_tokens and family.pooling != "class_token":
            raise ValueError(
                f"`drop_patch_tokens` must be False: a tower of type {self.tower_config.model_type!r} makes its image "
                f"embedding of the patches ({family.pooling})."
            )


# Types of models of two towers -> what makes an E2 of one.
_STARTS = {"clip": "from_clip", "siglip": "from_towers"}
# Fields of the whole configuration -> those of the vision tower that hold the same.
_SHARED_FIELDS = {"projection_dim": "projection_dim", "project_towers": "project_tower"}
_VISION_FIELDS = (
    "tag_entities",
    "tokens_per_entity",
    "fusion_layers",
    "first_selection_layer",
    "selection_temperature",
    "drop_patch_tokens",
    "last_entity_pools_one_token",
    "pool_regions",
)


def _as_dict(config: PreTrainedConfig | dict | None) -> dict[str, Any]:
    return config.to_dict() if isinstance(config, PreTrainedConfig) else dict(config or {})


# Their `pooler_output` is the text embedding; elsewhere it is made for another task, such as BERT's next sentence.
_TEXT_TOWERS_THAT_POOL = ("clip_text_model", "siglip_text_model")


def _vision_config(config: PreTrainedConfig | dict | None, more: dict[str, Any], project: bool) -> PreTrainedConfig:
    fields = _as_dict(config)
    model_type = fields.pop("model_type", E2VisionConfig.model_type)
    if model_type in (E2VisionConfig.model_type, CLIPVisionConfig.model_type):
        return E2VisionConfig(**(fields | more))
    if model_type == E2TowerConfig.model_type:
        return E2TowerConfig(**(fields | more | {"project_tower": project}))
    return E2TowerConfig(tower_config=config, **more, project_tower=project)


def _text_width(config: PreTrainedConfig) -> int:
    return getattr(config, "projection_size", None) or config.hidden_size


def _typed_config(config: PreTrainedConfig | dict | None, default: str) -> PreTrainedConfig:
    fields = _as_dict(config)
    model_type = fields.pop("model_type", default)
    try:
        return AutoConfig.for_model(model_type, **fields)
    except ValueError as error:
        if "Unrecognized model identifier" in str(error):
            raise ValueError(f"transformers knows no model of type {model_type!r}.") from None
        raise


@strict
class E2Config(PreTrainedConfig):
    """Configuration of E2: two towers, selection tokens in the vision tower, and the two losses.

    text_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of the text tower: CLIP's by default, else of any text encoder of transformers.
    vision_config (`dict`, `E2VisionConfig` or `E2TowerConfig`, *optional*):
        Configuration of the vision tower: CLIP's by default. That of a vision model (`Dinov2Config`,
        `SiglipVisionConfig`, ...) becomes an [`E2TowerConfig`], a `CLIPVisionConfig` an [`E2VisionConfig`]. The
        fields of the selection tokens (`tag_entities`, `tokens_per_entity`, `fusion_layers`,
        `first_selection_layer`, `selection_temperature`, `drop_patch_tokens`) may also be given to `E2Config` itself
        and are read back from it.
    projection_dim (`int`, *optional*, defaults to 512):
        Dimension P of the space that images, regions, texts and tags share.
    logit_scale_init_value (`float`, *optional*, defaults to 2.6592):
        Initial logarithm of the factor that multiplies cosines.
    project_towers (`bool`, *optional*, defaults to `True`):
        Whether a linear projection leads from each tower to the shared space. Not for SigLIP, whose towers end in it.
    text_pooling (`str`, *optional*):
        What the text embedding is made of: `"pooler"` (the text tower's own `pooler_output`), `"mean"` (its last
        hidden states over the real tokens) or `"first"` (that of the first token). The default is `"pooler"` for CLIP
        and SigLIP, and `"mean"` for others.
    weighted_entities (`list[str]`, *optional*, defaults to `[]`):
        Names of the entities whose words text embeddings weigh by a learned factor each, which the paper's model does
        not do: [`E2EntityWords`]. `model.weigh_entities` of a recipe sets it, and measures which words they are.
    contrastive_loss (`str`, *optional*, defaults to `"info_nce"`):
        `"info_nce"` (CLIP's) or `"sigmoid"` (SigLIP's, with a bias on the logits); for the region loss too.
    logit_bias_init_value (`float`, *optional*, defaults to -10.0):
        Initial bias on the logits of the sigmoid loss.
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
    project_towers: bool = True
    text_pooling: str | None = None
    weighted_entities: list[str] = field(default_factory=list)
    contrastive_loss: str = "info_nce"
    logit_bias_init_value: float | int = -10.0
    contrastive_loss_weight: float | int = 0.5
    region_loss_weight: float | int = 0.5
    region_targets: str = "multi_positive"
    initializer_factor: float = 1.0
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs):
        selection = {name: kwargs.pop(name) for name in _VISION_FIELDS if name in kwargs}
        # One shared space: a projection of another size in a sub-config would only be overruled silently.
        self.vision_config = _vision_config(
            self.vision_config, selection | {"projection_dim": self.projection_dim}, self.project_towers
        )
        self.text_config = _typed_config(self.text_config, CLIPTextConfig.model_type)
        if hasattr(self.text_config, "projection_dim"):
            self.text_config.projection_dim = self.projection_dim
        if self.text_pooling is None:
            self.text_pooling = "pooler" if self.text_config.model_type in _TEXT_TOWERS_THAT_POOL else "mean"
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if fields contradict each other; called by `@strict`, and by the model."""
        if self.region_targets not in ("multi_positive", "diagonal"):
            raise ValueError(f'`region_targets` must be "multi_positive" or "diagonal"; got "{self.region_targets}".')
        if self.contrastive_loss not in ("info_nce", "sigmoid"):
            raise ValueError(f'`contrastive_loss` must be "info_nce" or "sigmoid"; got "{self.contrastive_loss}".')
        if self.text_pooling not in ("pooler", "mean", "first"):
            raise ValueError(f'`text_pooling` must be "pooler", "mean" or "first"; got "{self.text_pooling}".')
        if len(set(self.weighted_entities)) != len(self.weighted_entities):
            raise ValueError(f"`weighted_entities` must be distinct names; got {self.weighted_entities}.")
        if not self.project_towers and self.vision_config.model_type == E2VisionConfig.model_type:
            raise ValueError("`project_towers=False` is for towers that end in the shared space, which CLIP's do not.")
        widths = {self.vision_config.hidden_size, _text_width(self.text_config), self.projection_dim}
        if not self.project_towers and len(widths) > 1:
            raise ValueError(
                "Without `project_towers`, both towers must end in `projection_dim` dimensions; got vision "
                f"{self.vision_config.hidden_size}, text {_text_width(self.text_config)} and {self.projection_dim}."
            )
        for name, in_tower in _SHARED_FIELDS.items():
            if getattr(self, name) != getattr(self.vision_config, in_tower):
                raise ValueError(
                    f"`{name}` is {getattr(self, name)}, but the vision tower was configured with "
                    f"{getattr(self.vision_config, in_tower)}: give it to `{type(self).__name__}(...)` or "
                    "`from_pretrained(...)`, which tell the towers."
                )
        if self.contrastive_loss_weight < 0 or self.region_loss_weight < 0:
            raise ValueError(
                "Loss weights must not be negative; got contrastive_loss_weight="
                f"{self.contrastive_loss_weight}, region_loss_weight={self.region_loss_weight}."
            )

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs) -> PreTrainedConfig:
        kind, name = config_dict.get("model_type"), cls.__name__.replace("Config", "Model")
        if kind in _STARTS:
            raise ValueError(f"This is a {kind!r} and no {name}: make one of it by `{name}.{_STARTS[kind]}`.")
        if kind in (E2VisionConfig.model_type, E2TowerConfig.model_type):
            raise ValueError(
                f"This is a {kind!r}, the image side of an E2, which reads no texts: load it by `E2VisionModel`."
            )
        # transformers sets the fields of `kwargs` last, when the towers have theirs.
        shared = {name: kwargs.pop(name) for name in _SHARED_FIELDS if name in kwargs}
        return super().from_dict(config_dict | shared, **kwargs)

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


def _field_of(section: str, name: str) -> property:
    def read(self):
        return getattr(getattr(self, section), name)

    def write(self, value):  # from_pretrained(..., name=value) sets fields after the configuration is built
        setattr(getattr(self, section), name, value)

    return property(read, write, doc=f"`{name}` of `{section}`.")


for _name in _VISION_FIELDS:
    setattr(E2Config, _name, _field_of("vision_config", _name))
for _name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size", "layer_norm_eps"):
    setattr(E2TowerConfig, _name, _field_of("tower_config", _name))


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2Config.register_for_auto_class()
E2VisionConfig.register_for_auto_class()
E2TowerConfig.register_for_auto_class()

__all__ = ["E2Config", "E2TowerConfig", "E2VisionConfig"]
