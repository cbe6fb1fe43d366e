"""E2: CLIP with selection tokens that look for the patches of each tag entity.

Source: Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations", NeurIPS 2024.
Shapes: B images, N patches, E tag entities with n selection tokens each, width D, shared space P.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, CLIPModel, CLIPPreTrainedModel, CLIPTextModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clip.modeling_clip import CLIPAttention, CLIPEncoderLayer, CLIPVisionEmbeddings
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .configuration_e2 import E2Config, E2VisionConfig


@dataclass
class E2Selection(ModelOutput):
    """Patches that one fusion block selected.

    Args:
        scores (`torch.Tensor` of shape `(B, E * n, N)`): softmax over the patches, without noise; rows sum to 1.
        indices (`torch.Tensor` of shape `(B, E * n)`): the patch each token took, counted row by row.
    """

    scores: torch.Tensor | None = None
    indices: torch.Tensor | None = None


@dataclass
class E2VisionTransformerOutput(BaseModelOutputWithPooling):
    """Output of the vision tower before any projection.

    Args:
        last_hidden_state (`torch.Tensor` of shape `(B, 1 + E * n [+ N], D)`):
            class token, selection tokens and, where they are kept, patch tokens after the last layer.
        pooler_output (`torch.Tensor` of shape `(B, D)`): the class token after the final layer norm.
        hidden_states (`tuple`, *optional*): the input and the output of every layer.
        attentions (`tuple`, *optional*): attention weights of every layer (eager attention only).
        selections (`tuple[E2Selection]`): one for each fusion block.
    """

    selections: tuple[E2Selection, ...] | None = None


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


# Copied from hf_fashion.losses.info_nce.info_nce
def info_nce(logits: torch.Tensor, positives: torch.Tensor | None = None, valid: torch.Tensor | None = None):
    """Return the symmetric InfoNCE loss of square logits; several matches share the target mass equally.

    Args:
        logits (`torch.Tensor` of shape `(..., B, B)`): scaled cosines, row i against column j.
        positives (`torch.Tensor` of shape `(..., B, B)`, *optional*): True where i and j match; symmetric. Default:
            the diagonal.
        valid (`torch.Tensor` of shape `(..., B)`, *optional*): False for items that take no part. Default: all.

    Returns:
        `torch.Tensor` of shape `(...)`: mean over the valid items of both directions, 0 where there is none.
    """
    logits = logits.float()
    size, device = logits.shape[-1], logits.device
    positives = torch.eye(size, dtype=torch.bool, device=device) if positives is None else positives
    valid = torch.ones(logits.shape[:-1], dtype=torch.bool, device=device) if valid is None else valid
    pairs = valid.unsqueeze(-1) & valid.unsqueeze(-2)
    targets = (positives & pairs).float()
    targets = targets / targets.sum(-1, keepdim=True).clamp(min=1)
    logits = logits.masked_fill(~pairs, torch.finfo(logits.dtype).min)
    rows = -(targets * logits.log_softmax(-1)).sum((-1, -2))
    columns = -(targets * logits.transpose(-1, -2).log_softmax(-1)).sum((-1, -2))
    return (rows + columns) / 2 / valid.sum(-1).clamp(min=1)


# Copied from hf_fashion.losses.region.region_contrastive_loss
def region_contrastive_loss(
    region_embeds: torch.Tensor,
    tag_embeds: torch.Tensor,
    tag_ids: torch.Tensor,
    logit_scale: torch.Tensor,
    targets: str = "multi_positive",
) -> torch.Tensor:
    """Return the region loss of E2: symmetric InfoNCE between an entity's regions and its tags, mean over entities.

    Args:
        region_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised region embeddings.
        tag_embeds (`torch.Tensor` of shape `(B, E, P)`): normalised embeddings of the tag strings.
        tag_ids (`torch.Tensor` of shape `(B, E)`): equal within an entity for equal strings; -1 = no tag.
        logit_scale (`torch.Tensor` of shape `()`): factor on the cosines, above 0.
        targets (`str`): `"multi_positive"` (equal tags match) or `"diagonal"` (only a product's own tag does).

    Returns:
        `torch.Tensor` of shape `()`: mean over the entities that have a tag in the batch, 0 where none has.
    """
    ids = tag_ids.T  # (E, B)
    valid = ids >= 0
    logits = logit_scale * torch.einsum("bep,cep->ebc", region_embeds, tag_embeds)  # (E, B, B)
    positives = ids.unsqueeze(-1) == ids.unsqueeze(-2) if targets == "multi_positive" else None
    losses = info_nce(logits, positives, valid)  # (E,)
    return losses.sum() / valid.any(-1).sum().clamp(min=1)


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


class E2FusionBlock(nn.Module):
    """Each selection token takes one patch and averages itself with that patch's value (paper, section 3.2)."""

    def __init__(self, config: E2VisionConfig):
        super().__init__()
        width = config.hidden_size
        self.temperature = config.selection_temperature
        self.scale = width**-0.5
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)

    def _scores(self, tokens: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        queries = self.q_proj(tokens)  # (B, E * n, D)
        weight = self.k_proj.weight
        if type(self.k_proj) is nn.Linear and not (weight.is_meta or hasattr(weight, "__tensor_flatten__")):
            # q kᵀ = (g Wq Wkᵀ) xᵀ: E * n rows are projected instead of N. Not where the layer is wrapped (LoRA), or
            # its weight is offloaded or a tensor made of others (int8, sharded): such a layer must be called.
            return (queries @ weight) @ patches.transpose(1, 2)
        return queries @ self.k_proj(patches).transpose(1, 2)

    def forward(self, tokens: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, E2Selection]:
        """
        Args:
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.
            patches (`torch.Tensor` of shape `(B, N, D)`): patch tokens.

        Returns:
            `tuple[torch.Tensor, E2Selection]`: fused tokens (B, E * n, D), and what they selected.
        """
        scores = self._scores(tokens, patches).float() * self.scale  # (B, E * n, N)
        indices = scores.argmax(-1)  # (B, E * n)
        if self.training:
            # (onehot x) Wv = onehot (x Wv): only the values of the chosen patches are projected.
            onehot = nn.functional.gumbel_softmax(scores, tau=self.temperature, hard=True)
            chosen = onehot.to(patches.dtype) @ patches
        else:
            chosen = patches.gather(1, indices.unsqueeze(-1).expand(-1, -1, patches.shape[-1]))
        fused = (tokens + self.v_proj(chosen)) / 2
        return fused, E2Selection(scores=scores.softmax(-1), indices=indices)


class E2FusionBlocks(nn.Sequential):
    """The fusion blocks of a tower. A module with a forward, so that peft can train and save all of them as one."""

    def forward(self, place: int, tokens: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, E2Selection]:
        """
        Args:
            place (`int`): which block.
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.
            patches (`torch.Tensor` of shape `(B, N, D)`): patch tokens.

        Returns:
            `tuple[torch.Tensor, E2Selection]`: as of [`E2FusionBlock`].
        """
        return self[place](tokens, patches)


class E2VisionEncoder(nn.Module):
    """CLIP's layers with a fusion block after each of `fusion_layers`."""

    def __init__(self, config: E2VisionConfig):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList([CLIPEncoderLayer(config) for _ in range(config.num_hidden_layers)])
        self.fusion_blocks = E2FusionBlocks(*[E2FusionBlock(config) for _ in config.fusion_layers])
        self.gradient_checkpointing = False

    def forward(self, hidden_states: torch.Tensor, **kwargs: Unpack[TransformersKwargs]):
        """
        Args:
            hidden_states (`torch.Tensor` of shape `(B, 1 + E * n + N, D)`): class, selection and patch tokens.

        Returns:
            `tuple[torch.Tensor, tuple[E2Selection]]`: tokens after the last layer, and the selections.
        """
        places = {number: place for place, number in enumerate(self.config.fusion_layers)}
        num_selected = self.config.num_selection_tokens
        sizes = [1, num_selected, hidden_states.shape[1] - 1 - num_selected]
        selections = []
        for number, layer in enumerate(self.layers, start=1):
            hidden_states = layer(hidden_states, None, **kwargs)
            if number in places:
                classes, tokens, patches = hidden_states.split(sizes, dim=1)
                tokens, selection = self.fusion_blocks(places[number], tokens, patches)
                selections.append(selection)
                keep_patches = number < max(places) or not self.config.drop_patch_tokens
                hidden_states = torch.cat([classes, tokens, patches] if keep_patches else [classes, tokens], dim=1)
        return hidden_states, tuple(selections)


class E2RegionHead(nn.Module):
    """Separated average pooling: per entity a layer norm, the mean over its tokens, a projection."""

    def __init__(self, config: E2VisionConfig):
        super().__init__()
        width, entities = config.hidden_size, config.tag_entities
        self.tokens_per_entity = config.tokens_per_entity
        self.last_entity_pools_one_token = config.last_entity_pools_one_token
        self.layer_norms = nn.ModuleList([nn.LayerNorm(width, eps=config.layer_norm_eps) for _ in entities])
        self.projections = nn.ModuleList([nn.Linear(width, config.projection_dim, bias=False) for _ in entities])

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """
        Args:
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens after the last layer.

        Returns:
            `torch.Tensor` of shape `(B, E, P)`: region embeddings, not normalised.
        """
        groups = list(tokens.split(self.tokens_per_entity, dim=1))
        if self.last_entity_pools_one_token:
            groups[-1] = groups[-1][:, :1]
        heads = zip(groups, self.layer_norms, self.projections, strict=True)
        return torch.stack([project(norm(group).mean(1)) for group, norm, project in heads], dim=1)


class E2PreTrainedModel(CLIPPreTrainedModel):
    """Weight initialisation and loading of E2's models."""

    config: E2Config
    config_class = E2Config
    base_model_prefix = "e2"
    # What a CLIP checkpoint lacks; the paper's warm-up stage trains only these.
    new_modules = ("vision_model.selection_tokens", "vision_model.encoder.fusion_blocks", "region_head")
    # What a LoRA adapter trains whole: LoraConfig(modules_to_save=E2Model.lora_modules_to_save). The temperature is a
    # parameter and no module, which peft cannot save: an adapter keeps that of its base.
    lora_modules_to_save = list(new_modules)
    _no_split_modules = ["CLIPTextEmbeddings", "CLIPEncoderLayer", "CLIPVisionEmbeddings", "E2FusionBlock"]

    @classmethod
    def is_custom_code(cls) -> bool:
        # In code outside its package transformers skips modules that own no parameter, and with them CLIP's rules for
        # a whole attention or MLP. The rules here use transformers.initialization, which spares loaded weights anyway.
        return False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        factor = self.config.initializer_factor
        if isinstance(module, E2VisionTransformer):
            width = module.config.hidden_size
            init.normal_(module.selection_tokens.weight, std=width**-0.5 * factor)
        elif isinstance(module, E2FusionBlock):
            for projection in (module.q_proj, module.k_proj, module.v_proj):
                init.normal_(projection.weight, std=projection.in_features**-0.5 * factor)
        elif isinstance(module, E2RegionHead):
            for projection in module.projections:
                init.normal_(projection.weight, std=projection.in_features**-0.5 * factor)
        elif isinstance(module, (E2Model, E2VisionModel)):
            init.normal_(module.visual_projection.weight, std=module.visual_projection.in_features**-0.5 * factor)
        if isinstance(module, E2Model):
            init.normal_(module.text_projection.weight, std=module.text_projection.in_features**-0.5 * factor)
            init.constant_(module.logit_scale, self.config.logit_scale_init_value)


class E2VisionTransformer(E2PreTrainedModel):
    """E2's vision tower without projections. Its CLIP part has the names of `CLIPVisionModel`."""

    config: E2VisionConfig
    config_class = E2VisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _input_embed_layer = "patch_embedding"
    _can_record_outputs = {"hidden_states": CLIPEncoderLayer, "attentions": CLIPAttention}

    def __init__(self, config: E2VisionConfig):
        super().__init__(config)
        self.embeddings = CLIPVisionEmbeddings(config)
        self.selection_tokens = nn.Embedding(config.num_selection_tokens, config.hidden_size)
        self.pre_layrnorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.encoder = E2VisionEncoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs(tie_last_hidden_states=False)
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **kwargs: Unpack[TransformersKwargs],
    ) -> E2VisionTransformerOutput:
        """
        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images from the image processor.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.
        """
        embeds = self.embeddings(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)  # (B, 1 + N, D)
        # The patch embedding casts pixels to the weights' dtype; the tokens follow it.
        numbers = torch.arange(self.config.num_selection_tokens, device=embeds.device)
        tokens = self.selection_tokens(numbers).to(embeds.dtype).expand(embeds.shape[0], -1, -1)  # (B, E * n, D)
        hidden_states = torch.cat([embeds[:, :1], tokens, embeds[:, 1:]], dim=1)  # (B, 1 + E * n + N, D)
        last_hidden_state, selections = self.encoder(self.pre_layrnorm(hidden_states), **kwargs)
        return E2VisionTransformerOutput(
            last_hidden_state=last_hidden_state,
            pooler_output=self.post_layernorm(last_hidden_state[:, 0]),
            selections=selections,
        )

    def split_selection_tokens(self, last_hidden_state: torch.Tensor) -> torch.Tensor:
        """Return the selection tokens (B, E * n, D) of the tower's last hidden state (B, 1 + E * n [+ N], D)."""
        return last_hidden_state[:, 1 : 1 + self.config.num_selection_tokens]


class E2VisionModel(E2PreTrainedModel):
    """The image side of E2: vision tower, projection and region head. It also loads from the folder of a whole E2."""

    config: E2VisionConfig
    config_class = E2VisionConfig
    base_model_prefix = "e2_vision"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _keys_to_ignore_on_load_unexpected = [r"^text_model\.", r"^text_projection\.", r"^logit_scale$"]

    def __init__(self, config: E2VisionConfig):
        super().__init__(config)
        self.vision_model = E2VisionTransformer._from_config(config)
        self.visual_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        self.region_head = E2RegionHead(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.vision_model.embeddings.patch_embedding

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
        outputs = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, **kwargs)
        tokens = self.vision_model.split_selection_tokens(outputs.last_hidden_state)
        return E2VisionModelOutput(
            image_embeds=self.visual_projection(outputs.pooler_output),
            region_embeds=self.region_head(tokens),
            last_hidden_state=outputs.last_hidden_state,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            selections=outputs.selections,
        )


class E2Model(E2PreTrainedModel):
    """E2 whole: a drop-in for transformers' `CLIPModel` that also embeds each tag entity of an image."""

    # A temperature in bfloat16 moves in steps of 0.4 %: training would stall on it.
    _keep_in_fp32_modules_strict = ["logit_scale"]

    def __init__(self, config: E2Config):
        super().__init__(config)
        text_config, vision_config = config.text_config, config.vision_config
        self.text_model = CLIPTextModel._from_config(text_config)
        self.vision_model = E2VisionTransformer._from_config(vision_config)
        self.visual_projection = nn.Linear(vision_config.hidden_size, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(text_config.hidden_size, config.projection_dim, bias=False)
        self.region_head = E2RegionHead(vision_config)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value, dtype=torch.float32))
        self.post_init()

    @property
    def dtype(self) -> torch.dtype:
        """`torch.dtype`: that of the towers; the temperature stays in float32."""
        return self.visual_projection.weight.dtype

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_model.set_input_embeddings(value)

    @classmethod
    def from_clip(cls, clip: "CLIPModel | str", **kwargs) -> "E2Model":
        """Build an untrained E2 around a CLIP: its weights are taken over exactly, selection tokens and heads are new.

        Args:
            clip (`CLIPModel` or `str`): a model, a folder or a Hub id of a CLIP of transformers, any patch size.
            kwargs (`dict`, *optional*): fields of [`E2Config`] or [`E2VisionConfig`] that CLIP lacks.

        Raises:
            ValueError: if the checkpoint is not a CLIP.
        """
        # By its own configuration: CLIPModel would take any folder for a CLIP, and fill with random weights.
        config = AutoConfig.from_pretrained(clip) if isinstance(clip, str) else clip.config
        if getattr(config, "model_type", None) != "clip":
            raise ValueError(f"`clip` must be a CLIP checkpoint; got {clip if isinstance(clip, str) else type(clip)}.")
        if isinstance(clip, str):
            clip, info = CLIPModel.from_pretrained(clip, output_loading_info=True)
            if info["missing_keys"]:
                raise ValueError(f"Not a whole CLIP checkpoint: missing {sorted(info['missing_keys'])}.")
        config = E2Config.from_clip_config(clip.config, **kwargs)
        config._attn_implementation = clip.config._attn_implementation
        model = cls(config).to(device=clip.device, dtype=clip.dtype)
        missing, unexpected = model.load_state_dict(clip.state_dict(), strict=False)
        lacking = [name for name in missing if not name.startswith(cls.new_modules)]
        if lacking or unexpected:
            raise ValueError(f"Not a whole CLIP checkpoint: missing {lacking}, unexpected {unexpected}.")
        model.logit_scale.data = model.logit_scale.data.float()
        return model.eval()

    def save_pretrained(self, save_directory, **kwargs):
        if getattr(self, "quantization_method", None) == "torchao":
            raise ValueError(
                "Saved as int8, this model could not be loaded again: torchao reads no parameter outside of a layer, "
                "such as `logit_scale`. Save it in float, and load it with `quantization_config`."
            )
        # A model has one auto class of its own; the pipeline for zero-shot classification looks for a second.
        if self._auto_class is not None:
            self.config.auto_map = {
                **(getattr(self.config, "auto_map", None) or {}),
                "AutoModelForZeroShotImageClassification": "modeling_e2.E2Model",
            }
        super().save_pretrained(save_directory, **kwargs)

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
        outputs = self.text_model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, return_dict=True, **kwargs
        )
        outputs.pooler_output = self.text_projection(outputs.pooler_output)
        return outputs

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
        outputs.pooler_output = self.visual_projection(outputs.pooler_output)
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
        outputs = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        return self.region_head(self.vision_model.split_selection_tokens(outputs.last_hidden_state))

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
        embeds = self.get_text_features(distinct[:, :length], distinct[:, length:], return_dict=True).pooler_output
        tag_ids = tag_ids.view(tag_input_ids.shape[:2])
        return embeds[tag_ids], tag_ids

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        tag_input_ids: torch.Tensor | None = None,
        tag_attention_mask: torch.Tensor | None = None,
        tag_ids: torch.Tensor | None = None,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        **kwargs: Unpack[TransformersKwargs],
    ) -> E2Output:
        """Embed images, texts and tags, any of them or all, and compare images with texts.

        Args:
            input_ids (`torch.Tensor` of shape `(T, L)`, *optional*): token ids of the texts.
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): images from the image processor.
            attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.
            position_ids (`torch.Tensor` of shape `(T, L)`, *optional*): positions of the tokens.
            tag_input_ids (`torch.Tensor` of shape `(B, E, L)`, *optional*): token ids of the tags.
            tag_attention_mask (`torch.Tensor` of shape `(B, E, L)`, *optional*): 1 for real tokens.
            tag_ids (`torch.Tensor` of shape `(B, E)`, *optional*): equal for equal tags, -1 = the product has no such
                tag. Default: every tag is present, equal tokens are equal tags.
            return_loss (`bool`, *optional*): return the losses of this batch; needs as many texts as images.
            interpolate_pos_encoding (`bool`): take other sizes than the trained one.

        Raises:
            ValueError: if neither images nor texts are given, or a loss is asked for without both.

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
        if input_ids is None and pixel_values is None:
            raise ValueError("You have to specify `input_ids`, `pixel_values`, or both.")
        if return_loss and (input_ids is None or pixel_values is None):
            raise ValueError(
                "`return_loss=True` compares images with texts: give both `input_ids` and `pixel_values`."
            )

        output = E2Output()
        if pixel_values is not None:
            vision = self.get_image_features(
                pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, return_dict=True, **kwargs
            )
            tokens = self.vision_model.split_selection_tokens(vision.last_hidden_state)
            output.image_embeds = nn.functional.normalize(vision.pooler_output, dim=-1)
            output.region_embeds = nn.functional.normalize(self.region_head(tokens), dim=-1)
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
            output.logits_per_image = output.logits_per_text.T
        if return_loss:
            output.losses = self._losses(output, tag_ids)
            weights = {"contrastive": self.config.contrastive_loss_weight, "region": self.config.region_loss_weight}
            output.loss = sum(weights[name] * loss for name, loss in output.losses.items())
            if output.tag_embeds is None:
                # DDP waits for the gradient of every parameter; without tags the region head's is 0.
                output.loss = output.loss + 0 * output.region_embeds.sum()
        return output

    def _losses(self, output: E2Output, tag_ids: torch.Tensor | None) -> dict[str, torch.Tensor]:
        losses = {"contrastive": info_nce(output.logits_per_image)}
        if output.tag_embeds is not None:
            losses["region"] = region_contrastive_loss(
                output.region_embeds, output.tag_embeds, tag_ids, self.logit_scale.exp(), self.config.region_targets
            )
        return losses


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2Model.register_for_auto_class("AutoModel")
E2VisionModel.register_for_auto_class("AutoModel")

__all__ = ["E2Model", "E2PreTrainedModel", "E2VisionModel", "E2VisionTransformer"]
