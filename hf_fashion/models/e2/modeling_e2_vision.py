"""The vision towers of E2: CLIP's, or another vision model of transformers, with selection tokens among its patches.

Source: Qi, Zhao, Li, "Easy Regional Contrastive Learning of Expressive Fashion Representations", NeurIPS 2024.
Shapes: B images, N patches, E tag entities with n selection tokens each, width D, shared space P.
"""

from dataclasses import dataclass

import torch
from torch import nn
from transformers import AutoModel, CLIPPreTrainedModel
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clip.modeling_clip import CLIPAttention, CLIPEncoderLayer, CLIPVisionEmbeddings
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .configuration_e2 import E2Config, E2TowerConfig, E2VisionConfig
from .selection_e2 import E2FusionBlock, E2FusionBlocks, E2RegionHead, E2RegionPool, E2Selection, run_layers
from .texts_e2 import E2EntityWords
from .towers_e2 import (
    drop_unused,
    embed_patches,
    num_prefix_tokens,
    pool_tower,
    rotary_positions,
    tower_family,
    unsplit_modules,
)


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


class E2VisionEncoder(nn.Module):
    """CLIP's layers with a fusion block after each of `fusion_layers`."""

    def __init__(self, config: E2VisionConfig):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList([CLIPEncoderLayer(config) for _ in range(config.num_hidden_layers)])
        self.fusion_blocks = E2FusionBlocks(*[E2FusionBlock(config) for _ in config.fusion_layers])
        self.gradient_checkpointing = False

    def forward(self, hidden_states: torch.Tensor, tokens: torch.Tensor, **kwargs: Unpack[TransformersKwargs]):
        """
        Args:
            hidden_states (`torch.Tensor` of shape `(B, 1 + N, D)`): class and patch tokens.
            tokens (`torch.Tensor` of shape `(B, E * n, D)`): selection tokens.

        Returns:
            `tuple[torch.Tensor, tuple[E2Selection]]`: as of [`run_layers`].
        """
        return run_layers(self.layers, self.fusion_blocks, self.config, hidden_states, tokens, 1, **kwargs)


class E2PreTrainedModel(CLIPPreTrainedModel):
    """Weight initialisation and loading of E2's models."""

    config: E2Config
    config_class = E2Config
    base_model_prefix = "e2"
    # What a CLIP checkpoint lacks; the paper's warm-up stage trains only these.
    new_modules = (
        "vision_model.selection_tokens",
        "vision_model.encoder.fusion_blocks",
        "vision_model.fusion_blocks",
        "region_head",
        "region_pool",
        "entity_words",
    )
    # What a LoRA adapter trains whole: LoraConfig(modules_to_save=E2Model.lora_modules_to_save). The temperature is a
    # parameter and no module, which peft cannot save: an adapter keeps that of its base.
    lora_modules_to_save = list(new_modules)
    _no_split_modules = ["CLIPTextEmbeddings", "CLIPEncoderLayer", "CLIPVisionEmbeddings", "E2FusionBlock"]

    def __init__(self, config: E2Config, *inputs, **kwargs):
        config.validate_architecture()  # once more: `from_pretrained(folder, field=value)` sets fields later
        super().__init__(config, *inputs, **kwargs)

    def post_init(self):
        super().post_init()
        self._no_split_modules = unsplit_modules(self)

    @classmethod
    def is_custom_code(cls) -> bool:
        # In code outside its package transformers skips modules that own no parameter, and with them CLIP's rules for
        # a whole attention or MLP. The rules here use transformers.initialization, which spares loaded weights anyway.
        return False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        factor = self.config.initializer_factor
        if isinstance(module, E2VisionTower):
            width = module.config.hidden_size
            init.normal_(module.selection_tokens.weight, std=width**-0.5 * factor)
        elif isinstance(module, E2FusionBlock):
            for projection in (module.q_proj, module.k_proj, module.v_proj):
                init.normal_(projection.weight, std=projection.in_features**-0.5 * factor)
        elif isinstance(module, E2RegionHead):
            for projection in module.projections:
                init.normal_(projection.weight, std=projection.in_features**-0.5 * factor)
        elif isinstance(module, E2RegionPool):
            init.zeros_(module.projection.weight)
        elif isinstance(module, E2EntityWords):
            init.zeros_(module.weight)
            init.zeros_(module.shares)


class E2VisionTower(E2PreTrainedModel):
    """What E2's vision towers share: their input, and where the selection tokens stand among the others."""

    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    num_prefix_tokens = 1  # in front of the selection tokens: CLIP's class token

    def split_selection_tokens(self, last_hidden_state: torch.Tensor) -> torch.Tensor:
        """Return the selection tokens (B, E * n, D) of the tower's last hidden state (B, F + E * n [+ N], D)."""
        first = self.num_prefix_tokens
        return last_hidden_state[:, first : first + self.config.num_selection_tokens]

    def split_patches(self, last_hidden_state: torch.Tensor) -> torch.Tensor:
        """Return the patches (B, N, D) of the tower's last hidden state, after the layer norm behind its layers."""
        first = self.num_prefix_tokens + self.config.num_selection_tokens
        return self.final_norm(last_hidden_state[:, first:])


class E2VisionTransformer(E2VisionTower):
    """E2's vision tower without projections. Its CLIP part has the names of `CLIPVisionModel`."""

    config: E2VisionConfig
    config_class = E2VisionConfig
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

    @property
    def final_norm(self) -> nn.Module:
        """`nn.Module`: The layer norm behind the last layer."""
        return self.post_layernorm

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
        tokens = selection_tokens(self.selection_tokens, embeds)  # (B, E * n, D)
        last_hidden_state, selections = self.encoder(self.pre_layrnorm(embeds), self.pre_layrnorm(tokens), **kwargs)
        return E2VisionTransformerOutput(
            last_hidden_state=last_hidden_state,
            pooler_output=self.post_layernorm(last_hidden_state[:, 0]),
            selections=selections,
        )


class E2TowerTransformer(E2VisionTower):
    """E2's vision tower on another vision model than CLIP's, without projections. `tower` is that model itself."""

    config: E2TowerConfig
    config_class = E2TowerConfig
    # Both are recorded in the tower, by its own classes. Named here, since only what a class names can be asked for.
    _can_record_outputs = {"hidden_states": GradientCheckpointingLayer, "attentions": nn.MultiheadAttention}

    def __init__(self, config: E2TowerConfig):
        super().__init__(config)
        self.tower = AutoModel.from_config(config.tower_config)
        drop_unused(self.tower)
        self.num_prefix_tokens = num_prefix_tokens(config.tower_config)
        self.selection_tokens = nn.Embedding(config.num_selection_tokens, config.hidden_size)
        self.fusion_blocks = E2FusionBlocks(*[E2FusionBlock(config) for _ in config.fusion_layers])
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.tower.get_input_embeddings()

    @property
    def final_norm(self) -> nn.Module:
        """`nn.Module`: The layer norm behind the last layer."""
        return self.tower.get_submodule(tower_family(self.config.tower_config).norm)

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
        embeds = embed_patches(self.tower, pixel_values, interpolate_pos_encoding)  # (B, F + N, D)
        tokens = selection_tokens(self.selection_tokens, embeds)  # (B, E * n, D)
        last_hidden_state, selections = run_layers(
            self.tower.get_submodule(tower_family(self.tower.config).layers),
            self.fusion_blocks,
            self.config,
            embeds,
            tokens,
            self.num_prefix_tokens,
            **rotary_positions(self.tower, pixel_values),
            **kwargs,
        )
        return E2VisionTransformerOutput(
            last_hidden_state=last_hidden_state,
            pooler_output=pool_tower(self.tower, last_hidden_state, tokens.shape[1]),
            selections=selections,
        )


def selection_tokens(embedding: nn.Embedding, embeds: torch.Tensor) -> torch.Tensor:
    """Return a tower's selection tokens for a batch, in the type of its other tokens.

    Args:
        embedding (`nn.Embedding`): of E * n tokens.
        embeds (`torch.Tensor` of shape `(B, L, D)`): the tower's other tokens.

    Returns:
        `torch.Tensor` of shape `(B, E * n, D)`.
    """
    numbers = torch.arange(embedding.num_embeddings, device=embeds.device)
    # A patch embedding casts pixels to its weights' dtype; the tokens follow it.
    return embedding(numbers).to(embeds.dtype).expand(embeds.shape[0], -1, -1)


def vision_tower(config: E2VisionConfig | E2TowerConfig) -> E2VisionTransformer | E2TowerTransformer:
    """Return the vision tower that a configuration describes.

    Args:
        config (`E2VisionConfig` or `E2TowerConfig`): of CLIP's tower, or of another vision model's.
    """
    kind = E2TowerTransformer if config.model_type == E2TowerConfig.model_type else E2VisionTransformer
    return kind._from_config(config)


__all__ = [
    "E2PreTrainedModel",
    "E2TowerTransformer",
    "E2VisionTransformer",
    "E2VisionTransformerOutput",
    "vision_tower",
]
