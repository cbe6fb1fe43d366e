"""E2: CLIP with selection tokens that look for the patches of each tag entity.

Source: Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations", NeurIPS 2024.
Shapes: B images, N patches, E tag entities with n selection tokens each, width D, shared space P.
"""

from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
from torch import nn
from transformers import CLIPModel, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs
from transformers.utils.generic import can_return_tuple

from .configuration_e2 import E2Config, E2TowerConfig, E2VisionConfig
from .losses_e2 import pair_loss, region_contrastive_loss
from .modeling_e2_vision import E2PreTrainedModel, E2VisionTransformerOutput, vision_tower
from .selection_e2 import E2RegionHead, E2RegionPool, E2Selection
from .starts_e2 import Start, copy_tower, float_type, towers_config
from .text_towers_e2 import pool_text, text_tower
from .texts_e2 import E2EntityWords, reads_full_length


NEW_IN_TOWER = ("selection_tokens", "encoder.fusion_blocks")
CLIP_SIDES = {"e2_vision_model", "clip_text_model"}


@dataclass
class E2VisionModelOutput(ModelOutput):
    """Output of [`E2VisionModel`].

    Args:
        image_embeds (`torch.Tensor` of shape `(B, P)`): global embedding, not normalised.
        region_embeds (`torch.Tensor` of shape `(B, E, P)`): one embedding an entity, not normalised.
        last_hidden_state (`torch.Tensor` of shape `(B, 1 + E * n [+ N], D)`): tokens after the last layer.
        hidden_states (`tuple`, *optional*): the input and the output of every layer.
        attentions (`tuple`, *optional*): attention weights of every layer (eager attention only).
        selections (`tuple[E2Selection]`): one for each fusion block.
    """

    image_embeds: torch.Tensor | None = None
    region_embeds: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    selections: tuple[E2Selection, ...] | None = None


@dataclass
class E2Output(ModelOutput):
    """Output of [`E2Model`]. All embeddings are L2-normalised; what was not asked for is `None`.

    Args:
        loss (`torch.Tensor` of shape `()`): weighted sum of `losses`, returned with `return_loss=True`.
        logits_per_image (`torch.Tensor` of shape `(B, T)`): cosines times `exp(logit_scale)`.
        logits_per_text (`torch.Tensor` of shape `(T, B)`): its transpose.
        text_embeds (`torch.Tensor` of shape `(T, P)`): embeddings of the texts.
        image_embeds (`torch.Tensor` of shape `(B, P)`): global embeddings of the images.
        region_embeds (`torch.Tensor` of shape `(B, E, P)`): embeddings of the images' entities.
        tag_embeds (`torch.Tensor` of shape `(B, E, P)`): embeddings of the tag strings.
        selections (`tuple[E2Selection]`): one for each fusion block.
        losses (`dict[str, torch.Tensor]`): `"contrastive"` and, where tags were given, `"region"`; unweighted.
        pooler_output (`torch.Tensor` of shape `(B, P)`):
            the image embeddings again where no texts were given, for code that expects an image model.
        text_model_output (`BaseModelOutputWithPooling`): output of the text tower.
        vision_model_output (`E2VisionTransformerOutput`): output of the vision tower.
    """

    loss: torch.Tensor | None = None
    logits_per_image: torch.Tensor | None = None
    logits_per_text: torch.Tensor | None = None
    text_embeds: torch.Tensor | None = None
    image_embeds: torch.Tensor | None = None
    region_embeds: torch.Tensor | None = None
    tag_embeds: torch.Tensor | None = None
    selections: tuple[E2Selection, ...] | None = None
    losses: dict[str, torch.Tensor] | None = None
    pooler_output: torch.Tensor | None = None
    text_model_output: BaseModelOutputWithPooling | None = None
    vision_model_output: E2VisionTransformerOutput | None = None

    def to_tuple(self) -> tuple[Any, ...]:
        return tuple(v.to_tuple() if isinstance(v, ModelOutput) else v for v in self.values())


def distinct_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distinct rows of a matrix, and for every row the number of the one that it equals.

    Args:
        rows (`torch.Tensor` of shape `(M, L)`): long.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: rows (U, L), and numbers (M,).
    """
    if torch.compiler.is_compiling():
        # A graph has no shape that depends on values: all rows are returned, and the first of equal ones is taken.
        return rows, (rows[:, None] == rows).all(-1).byte().argmax(-1)
    return rows.unique(dim=0, return_inverse=True)


def projection(width: int, projection_dim: int, project: bool) -> nn.Module:
    """Return the layer from a tower's embedding (B, width) to the shared space (B, P), or one that changes nothing.

    Args:
        width (`int`): width of the tower's embedding.
        projection_dim (`int`): P.
        project (`bool`): False where the tower ends in the shared space.
    """
    return nn.Linear(width, projection_dim, bias=False) if project else nn.Identity()


def init_projections(projections: list[nn.Module], factor: float) -> None:
    """Draw the weights of the projections to the shared space as CLIP does.

    Args:
        projections (`list[nn.Module]`): from [`projection`].
        factor (`float`): on the standard deviation D^-1/2.
    """
    for layer in projections:
        if isinstance(layer, nn.Linear):
            init.normal_(layer.weight, std=layer.in_features**-0.5 * factor)


def region_embeddings(model: PreTrainedModel, outputs: E2VisionTransformerOutput) -> torch.Tensor:
    """Return the region embeddings (B, E, P) of a tower's output, not normalised.

    Args:
        model (`E2Model` or `E2VisionModel`): whose region head is applied.
        outputs (`E2VisionTransformerOutput`): output of its vision tower.
    """
    return model.region_head(model.vision_model.split_selection_tokens(outputs.last_hidden_state))


def image_embeddings(model: PreTrainedModel, outputs: E2VisionTransformerOutput) -> torch.Tensor:
    """Return the image embeddings (B, P) of a tower's output, not normalised; with pooled regions where it has them.

    Args:
        model (`E2Model` or `E2VisionModel`): whose projection and heads are applied.
        outputs (`E2VisionTransformerOutput`): output of its vision tower.
    """
    embeds = model.visual_projection(outputs.pooler_output)
    if model.region_pool is None:
        return embeds
    return embeds + model.region_pool(region_embeddings(model, outputs))


class E2VisionModel(E2PreTrainedModel):
    """The image side of E2: vision tower, projection and region head. It also loads from the folder of a whole E2.

    On another tower than CLIP's, it is an [`E2TowerVisionModel`].
    """

    config: E2VisionConfig
    config_class = E2VisionConfig
    base_model_prefix = "e2_vision"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _keys_to_ignore_on_load_unexpected = [
        *(r"^text_model\.", r"^text_projection\.", r"^entity_words\.", r"^logit_scale$", r"^logit_bias$")
    ]

    def __new__(cls, config: E2VisionConfig | E2TowerConfig | None = None, *inputs, **kwargs):
        # Auto classes know a model by the class of its configuration. `copy` gives no configuration.
        return super().__new__(E2TowerVisionModel if isinstance(config, E2TowerConfig) else cls)

    def __init__(self, config: E2VisionConfig | E2TowerConfig):
        super().__init__(config)
        self.vision_model = vision_tower(config)
        self.visual_projection = projection(config.hidden_size, config.projection_dim, config.project_tower)
        self.region_head = E2RegionHead(config)
        self.region_pool = E2RegionPool(config) if config.pool_regions else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.vision_model.get_input_embeddings()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, E2VisionModel):
            init_projections([module.visual_projection], self.config.initializer_factor)

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **kwargs: Unpack[TransformersKwargs],
    ) -> E2VisionModelOutput:
        """Embed images, and the region of each tag entity in them.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images from the image processor.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.

        Example:

        ```python
        >>> import torch
        >>> from PIL import Image
        >>> from hf_fashion import E2ImageProcessorPil, E2VisionModel

        >>> model = E2VisionModel.from_pretrained("runs/quickstart/e2/best")
        >>> image_processor = E2ImageProcessorPil.from_pretrained("runs/quickstart/e2/best")
        >>> inputs = image_processor(Image.open("photos/dress.jpg"), return_tensors="pt")

        >>> with torch.no_grad():
        ...     region_embeds = model(**inputs).region_embeds  # one for each of model.config.tag_entities
        ```
        """
        outputs = self.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True, **kwargs
        )
        return E2VisionModelOutput(
            image_embeds=image_embeddings(self, outputs),
            region_embeds=region_embeddings(self, outputs),
            last_hidden_state=outputs.last_hidden_state,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            selections=outputs.selections,
        )


class E2TowerVisionModel(E2VisionModel):
    """The image side of an E2 on another vision model than CLIP's; `E2VisionModel` makes and loads it."""

    config: E2TowerConfig
    config_class = E2TowerConfig


def check_inputs(
    input_ids: torch.Tensor | None,
    pixel_values: torch.Tensor | None,
    return_loss: bool | None = None,
    tag_input_ids: torch.Tensor | None = None,
) -> None:
    """Raise if a model of two towers is called without inputs, or for a loss without those of both, row by row.

    Args:
        input_ids (`torch.Tensor` of shape `(T, L)`, *optional*): token ids of the texts.
        pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): images.
        return_loss (`bool`, *optional*): whether a loss is asked for.
        tag_input_ids (`torch.Tensor` of shape `(B, E, L)`, *optional*): token ids of the tags.

    Raises:
        ValueError: inputs are missing, or differ in number where a loss is asked for.
    """
    if input_ids is None and pixel_values is None:
        raise ValueError("You have to specify `input_ids`, `pixel_values`, or both.")
    if not return_loss:
        return
    if input_ids is None or pixel_values is None:
        raise ValueError("`return_loss=True` compares images with texts: give both `input_ids` and `pixel_values`.")
    tag_rows = pixel_values if tag_input_ids is None else tag_input_ids
    if not len(input_ids) == len(pixel_values) == len(tag_rows):
        tags = "" if tag_input_ids is None else f" and tags of {len(tag_input_ids)} products"
        raise ValueError(
            "`return_loss=True` compares each image with its own text and tags: give as many of each; got "
            f"{len(pixel_values)} images, {len(input_ids)} texts{tags}."
        )


class E2Model(E2PreTrainedModel):
    """E2 whole: a drop-in for transformers' `CLIPModel` that also embeds each tag entity of an image."""

    # A temperature in bfloat16 moves in steps of 0.4 %: training would stall on it.
    _keep_in_fp32_modules_strict = ["logit_scale"]

    def __init__(self, config: E2Config):
        super().__init__(config)
        text_config, vision_config = config.text_config, config.vision_config
        self.text_model = text_tower(text_config, config.text_pooling)
        self.vision_model = vision_tower(vision_config)
        self.visual_projection = projection(vision_config.hidden_size, config.projection_dim, config.project_towers)
        self.text_projection = projection(text_config.hidden_size, config.projection_dim, config.project_towers)
        self.region_head = E2RegionHead(vision_config)
        self.region_pool = E2RegionPool(vision_config) if config.pool_regions else None
        self.entity_words = E2EntityWords(config) if config.weighted_entities else None
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value, dtype=torch.float32))
        if config.project_towers and {vision_config.model_type, text_config.model_type} != CLIP_SIDES:
            # Two encoders that met here first: what leads from them to the shared space is as new.
            self.new_modules = (*self.new_modules, "visual_projection", "text_projection")
            self.lora_modules_to_save = list(self.new_modules)
        self.logit_bias = None
        if config.contrastive_loss == "sigmoid":
            self._keep_in_fp32_modules_strict = {*self._keep_in_fp32_modules_strict, "logit_bias"}
            self.logit_bias = nn.Parameter(torch.tensor(config.logit_bias_init_value, dtype=torch.float32))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, E2Model):
            projections = [module.visual_projection, module.text_projection]
            init_projections(projections, self.config.initializer_factor)
            init.constant_(module.logit_scale, self.config.logit_scale_init_value)
            if module.logit_bias is not None:
                init.constant_(module.logit_bias, self.config.logit_bias_init_value)

    @property
    def dtype(self) -> torch.dtype:
        """`torch.dtype`: that of the towers; the temperature stays in float32."""
        return self.vision_model.selection_tokens.weight.dtype

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_model.set_input_embeddings(value)

    def resize_token_embeddings(self, *args, **kwargs) -> nn.Embedding:
        """As of transformers' models; new tokens name no entity."""
        embeddings = super().resize_token_embeddings(*args, **kwargs)
        if self.entity_words is not None:
            self.entity_words.resize(embeddings.num_embeddings)
        return embeddings

    @classmethod
    def from_clip(cls, clip: "CLIPModel | str | PathLike", **kwargs) -> "E2Model":
        """Build an untrained E2 around a CLIP: its weights are taken over exactly, selection tokens and heads are new.

        Args:
            clip (`CLIPModel`, `str` or `os.PathLike`): a model, a folder or a Hub id of a CLIP of transformers, any
                patch size.
            kwargs (`dict`, *optional*): fields of [`E2Config`] or [`E2VisionConfig`] that CLIP lacks.

        Raises:
            ValueError: if the checkpoint is not a CLIP.
        """
        start = Start.of(clip)
        if start.config.model_type != "clip":
            raise ValueError(
                f"`clip` must be a CLIP checkpoint; got a model of type {start.config.model_type!r}. "
                "`E2Model.from_towers` takes others."
            )
        clip = start.load()
        config = cls.config_class.from_clip_config(clip.config, **kwargs)
        config._attn_implementation = clip.config._attn_implementation
        model = cls(config).to(device=clip.device, dtype=clip.dtype)
        missing, unexpected = model.load_state_dict(clip.state_dict(), strict=False)
        lacking = [name for name in missing if not name.startswith(cls.new_modules)]
        if lacking or unexpected:
            raise ValueError(f"Not a whole CLIP checkpoint: missing {lacking}, unexpected {unexpected}.")
        model.logit_scale.data = model.logit_scale.data.float()
        return model.eval()

    @classmethod
    def from_towers(
        cls,
        vision: PreTrainedModel | str | PathLike,
        text: PreTrainedModel | str | PathLike | None = None,
        dtype: torch.dtype | str | None = None,
        **kwargs,
    ) -> "E2Model":
        """Build an untrained E2 around a vision encoder and a text encoder, or around a whole CLIP or SigLIP.

        The weights of the encoders are taken over exactly. Selection tokens, fusion blocks and region head are new
        and, where two encoders meet for the first time, the projections to the shared space too.

        Args:
            vision (`PreTrainedModel`, `str` or `os.PathLike`): a model, a folder or a Hub id: of a vision encoder of a
                family in `TOWER_FAMILIES` or of CLIP; or of a whole CLIP or SigLIP, whose vision side is taken.
            text (`PreTrainedModel`, `str` or `os.PathLike`, *optional*): the same for the text side: any encoder that
                `AutoModel` loads. Without it, `vision` is a whole CLIP or SigLIP (of SigLIP 2, one of a fixed
                resolution), and both of its sides, its temperature and its loss are taken.
            dtype (`torch.dtype` or `str`, *optional*): float type of the model, such as `"bfloat16"`. Default, and
                `"auto"`: that of the vision encoder.
            kwargs (`dict`, *optional*): fields of [`E2Config`] or of its vision tower.

        Raises:
            ValueError: E2 does not run on these encoders, a checkpoint is not whole, a text encoder is missing, or
                `dtype` is no float type.

        Example:

        ```python
        >>> from hf_fashion import E2Model

        >>> model = E2Model.from_towers("facebook/dinov2-small", "intfloat/multilingual-e5-small")  # doctest: +SKIP
        >>> model = E2Model.from_towers("google/siglip2-base-patch16-224")  # doctest: +SKIP
        ```
        """
        dtype = float_type(dtype)
        start, text_start = Start.of(vision), None if text is None else Start.of(text)
        if text_start is None and start.config.model_type == "clip":
            model = cls.from_clip(start.load(dtype=dtype), **kwargs)
            for parameter in model.parameters():
                if parameter.ndim and dtype:  # the temperature stays in float32
                    parameter.data = parameter.data.to(dtype)
            return model
        config = towers_config(cls.config_class, start, text_start, kwargs)
        whole = start.load(dtype=dtype) if text_start is None else None
        encoder = whole.vision_model if whole else start.load("vision", dtype)
        config._attn_implementation = encoder.config._attn_implementation
        model = cls(config).to(device=encoder.device, dtype=dtype or encoder.dtype)
        copy_tower(getattr(model.vision_model, "tower", model.vision_model), encoder, NEW_IN_TOWER)
        copy_tower(model.text_model, whole.text_model if whole else text_start.load("text", dtype))
        if whole:
            model.logit_scale.data = whole.logit_scale.data[0].clone()
            model.logit_bias.data = whole.logit_bias.data[0].clone()
        for parameter in filter(None, (model.logit_scale, model.logit_bias)):
            parameter.data = parameter.data.float()
        return model.eval()

    def save_pretrained(self, save_directory, **kwargs):
        if getattr(self, "quantization_method", None) == "torchao":
            raise ValueError(
                "Saved as int8, this model could not be loaded again: torchao reads no parameter outside of a layer, "
                "such as `logit_scale`. Save it in float, and load it with `quantization_config`."
            )
        # A model has one auto class of its own; the pipeline for zero-shot classification looks for a second.
        if self._auto_class is not None:
            kind = type(self)
            self.config.auto_map = {
                **(getattr(self.config, "auto_map", None) or {}),
                "AutoModelForZeroShotImageClassification": f"{kind.__module__.split('.')[-1]}.{kind.__name__}",
            }
        super().save_pretrained(save_directory, **kwargs)

    def token_states(self, last_hidden_state: torch.Tensor) -> torch.Tensor:
        """Return the states of the tokens of texts (T, L, D) that the projection of text embeddings takes.

        Args:
            last_hidden_state (`torch.Tensor` of shape `(T, L, D)`): of the text tower.
        """
        if self.config.text_pooling == "pooler" and reads_full_length(self.config.text_config):
            return self.text_model.head(last_hidden_state)  # what SigLIP's own text embedding goes through
        return last_hidden_state

    @can_return_tuple
    def get_text_features(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple | BaseModelOutputWithPooling:
        """Embed texts.

        Args:
            input_ids (`torch.Tensor` of shape `(T, L)`): token ids.
            attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.
            position_ids (`torch.Tensor` of shape `(T, L)`, *optional*): positions of the tokens.

        Returns:
            `BaseModelOutputWithPooling`: `pooler_output` (T, P) holds the text embeddings, not normalised.

        Example:

        ```python
        >>> import torch
        >>> from hf_fashion import E2Model, E2Processor

        >>> model = E2Model.from_pretrained("runs/quickstart/e2/best")
        >>> processor = E2Processor.from_pretrained("runs/quickstart/e2/best")
        >>> inputs = processor(text=["a red dress", "a blue coat"], padding=True, return_tensors="pt")

        >>> with torch.no_grad():
        ...     text_embeds = model.get_text_features(**inputs).pooler_output
        ```
        """
        longest = self.config.text_config.max_position_embeddings if reads_full_length(self.config.text_config) else 0
        if longest and input_ids.shape[-1] != longest:
            raise ValueError(
                f"SigLIP's text tower reads texts padded to {longest} tokens, got {input_ids.shape[-1]}: use the "
                f'processor of `E2Processor.from_towers`, or `padding="max_length", max_length={longest}`.'
            )
        if position_ids is not None:  # not every text encoder takes them
            kwargs["position_ids"] = position_ids
        outputs = self.text_model(input_ids=input_ids, attention_mask=attention_mask, return_dict=True, **kwargs)
        pooled = pool_text(outputs, attention_mask, self.config.text_pooling)  # (T, D)
        if self.entity_words is not None:
            pooled = self.entity_words(pooled, input_ids, self.token_states(outputs.last_hidden_state))
        return BaseModelOutputWithPooling(
            last_hidden_state=outputs.last_hidden_state,
            pooler_output=self.text_projection(pooled),
            hidden_states=outputs.get("hidden_states"),
            attentions=outputs.get("attentions"),
        )

    @can_return_tuple
    def get_image_features(
        self,
        pixel_values: torch.Tensor,
        interpolate_pos_encoding: bool = False,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple | E2VisionTransformerOutput:
        """Embed images.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images from the image processor.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.

        Returns:
            `E2VisionTransformerOutput`: `pooler_output` (B, P) holds the image embeddings, not normalised.

        Example:

        ```python
        >>> import torch
        >>> from PIL import Image
        >>> from hf_fashion import E2Model, E2Processor

        >>> model = E2Model.from_pretrained("runs/quickstart/e2/best")
        >>> processor = E2Processor.from_pretrained("runs/quickstart/e2/best")
        >>> inputs = processor(images=Image.open("photos/dress.jpg"), return_tensors="pt")

        >>> with torch.no_grad():
        ...     image_embeds = model.get_image_features(**inputs).pooler_output
        ```
        """
        outputs = self.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True, **kwargs
        )
        outputs.pooler_output = image_embeddings(self, outputs)
        return outputs

    def get_region_features(self, pixel_values: torch.Tensor, interpolate_pos_encoding: bool = False) -> torch.Tensor:
        """Embed the region of each tag entity in images.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images from the image processor.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.

        Returns:
            `torch.Tensor` of shape `(B, E, P)`: one embedding an entity, in the order of `config.tag_entities`; not
            normalised.

        Example:

        ```python
        >>> import torch
        >>> from PIL import Image
        >>> from hf_fashion import E2Model, E2Processor

        >>> model = E2Model.from_pretrained("runs/quickstart/e2/best")
        >>> processor = E2Processor.from_pretrained("runs/quickstart/e2/best")
        >>> inputs = processor(images=Image.open("photos/dress.jpg"), return_tensors="pt")

        >>> with torch.no_grad():
        ...     region_embeds = model.get_region_features(**inputs)
        >>> region_embeds.shape[1] == len(model.config.tag_entities)
        True
        ```
        """
        outputs = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True)
        return region_embeddings(self, outputs)

    def get_tag_features(
        self, tag_input_ids: torch.Tensor, tag_attention_mask: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embed tag strings; they recur within a batch, so each distinct one is encoded once.

        Args:
            tag_input_ids (`torch.Tensor` of shape `(B, E, L)`): token ids of the tags.
            tag_attention_mask (`torch.Tensor` of shape `(B, E, L)`, *optional*): 1 for real tokens.

        Returns:
            `tuple[torch.Tensor, torch.Tensor]`: embeddings (B, E, P), not normalised, and ids (B, E) that are equal
            where the strings are.
        """
        if tag_attention_mask is None:
            tag_attention_mask = torch.ones_like(tag_input_ids)
        length = tag_input_ids.shape[-1]
        rows = torch.cat([tag_input_ids, tag_attention_mask.to(tag_input_ids.dtype)], dim=-1).flatten(0, 1)
        distinct, tag_ids = distinct_rows(rows)  # (U, 2 L), (B * E,)
        mask = None if reads_full_length(self.config.text_config) else distinct[:, length:]
        embeds = self.get_text_features(distinct[:, :length], mask, return_dict=True).pooler_output
        tag_ids = tag_ids.view(tag_input_ids.shape[:2])
        return embeds[tag_ids], tag_ids

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        tag_input_ids: torch.Tensor | None = None,
        tag_attention_mask: torch.Tensor | None = None,
        tag_ids: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> E2Output:
        """Embed images, texts and tags, any of them or all, and compare images with texts.

        Args:
            input_ids (`torch.Tensor` of shape `(T, L)`, *optional*): token ids of the texts.
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): images from the image processor.
            attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.
            position_ids (`torch.Tensor` of shape `(T, L)`, *optional*): positions of the tokens.
            return_loss (`bool`, *optional*): return the losses of this batch; needs as many texts as images.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.
            tag_input_ids (`torch.Tensor` of shape `(B, E, L)`, *optional*): token ids of the tags.
            tag_attention_mask (`torch.Tensor` of shape `(B, E, L)`, *optional*): 1 for real tokens.
            tag_ids (`torch.Tensor` of shape `(B, E)`, *optional*): equal for equal tags, -1 = the product has no such
                tag. Default: every tag is present, equal tokens are equal tags.

        Raises:
            ValueError: if neither images nor texts are given, a loss is asked for without both or not with as many
                texts and tags as images, the tags are not those of the entities, or `tag_ids` are given without tags.

        Example:

        ```python
        >>> import torch
        >>> from PIL import Image
        >>> from hf_fashion import E2Model, E2Processor

        >>> model = E2Model.from_pretrained("runs/quickstart/e2/best")
        >>> processor = E2Processor.from_pretrained("runs/quickstart/e2/best")
        >>> photo, texts = Image.open("photos/dress.jpg"), ["a red dress", "a blue coat"]
        >>> inputs = processor(images=photo, text=texts, padding=True, return_tensors="pt")

        >>> with torch.no_grad():
        ...     outputs = model(**inputs)
        >>> probabilities = outputs.logits_per_image.softmax(dim=1)  # of each text, given the photo
        >>> region_similarities = outputs.region_embeds @ outputs.text_embeds.T  # (1, E, 2): cosines
        ```
        """
        check_inputs(input_ids, pixel_values, return_loss, tag_input_ids)
        self._check_tags(tag_input_ids, tag_ids)
        output = E2Output()
        if pixel_values is not None:
            vision = self.get_image_features(
                pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True, **kwargs
            )
            output.image_embeds = nn.functional.normalize(vision.pooler_output, dim=-1)
            output.region_embeds = nn.functional.normalize(region_embeddings(self, vision), dim=-1)
            output.selections, output.vision_model_output = vision.selections, vision
        if input_ids is not None:
            text = self.get_text_features(input_ids, attention_mask, position_ids, return_dict=True, **kwargs)
            output.text_embeds = nn.functional.normalize(text.pooler_output, dim=-1)
            output.text_model_output = text
        if tag_input_ids is not None:
            tag_embeds, token_ids = self.get_tag_features(tag_input_ids, tag_attention_mask)
            output.tag_embeds = nn.functional.normalize(tag_embeds, dim=-1)
            tag_ids = token_ids if tag_ids is None else tag_ids

        if input_ids is None:
            output.pooler_output = output.image_embeds
        elif pixel_values is not None:
            scale = self.logit_scale.exp().to(output.text_embeds.device)
            output.logits_per_text = scale * output.text_embeds @ output.image_embeds.T.to(output.text_embeds.device)
            if self.logit_bias is not None:
                output.logits_per_text = output.logits_per_text + self.logit_bias.to(scale.device)
            output.logits_per_image = output.logits_per_text.T
        if return_loss:
            output.losses = self._losses(output, tag_ids)
            weights = {"contrastive": self.config.contrastive_loss_weight, "region": self.config.region_loss_weight}
            output.loss = sum(weights[name] * loss for name, loss in output.losses.items())
            if output.tag_embeds is None:
                # DDP waits for the gradient of every parameter; without tags the region head's is 0.
                output.loss = output.loss + 0 * output.region_embeds.sum()
        return E2Output(**output)  # in the order of its fields

    def _check_tags(self, tag_input_ids: torch.Tensor | None, tag_ids: torch.Tensor | None) -> None:
        entities = list(self.config.tag_entities)
        if tag_input_ids is None:
            if tag_ids is not None:
                raise ValueError("`tag_ids` say which tags are equal: give the tags too, as `tag_input_ids`.")
            return
        if tag_input_ids.ndim != 3 or tag_input_ids.shape[1] != len(entities):
            raise ValueError(
                f"`tag_input_ids` must be of shape (B, E, L), a tag of each of the {len(entities)} `tag_entities` "
                f"{entities}; got {tuple(tag_input_ids.shape)}."
            )
        if tag_ids is not None and tag_ids.shape != tag_input_ids.shape[:2]:
            raise ValueError(
                f"`tag_ids` must be of shape (B, E), as `tag_input_ids`: {tuple(tag_input_ids.shape[:2])}; got "
                f"{tuple(tag_ids.shape)}."
            )

    def _losses(self, output: E2Output, tag_ids: torch.Tensor | None) -> dict[str, torch.Tensor]:
        losses = {"contrastive": pair_loss(output.logits_per_image, sigmoid=self.logit_bias is not None)}
        if output.tag_embeds is not None:
            losses["region"] = region_contrastive_loss(
                output.region_embeds,
                output.tag_embeds,
                tag_ids,
                self.logit_scale.exp(),
                self.config.region_targets,
                self.logit_bias,
            )
        return losses


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2Model.register_for_auto_class("AutoModel")
E2VisionModel.register_for_auto_class("AutoModel")
E2TowerVisionModel.register_for_auto_class("AutoModel")

__all__ = ["E2Model", "E2TowerVisionModel", "E2VisionModel"]
