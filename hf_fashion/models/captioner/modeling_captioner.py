"""Captioner: a frozen embedding model and a decoder that turns its embeddings into words, trained on texts only.

In training the decoder reads the embedding of a text and writes this text. A photo has an embedding in the same space,
but not in the same part of it; two methods bridge the gap:

CapDec (Nukrai et al., EMNLP 2022 findings, section 3): noise on the text embeddings in training, so that all within
its reach, photos too, are read as the text. DeCap (Li et al., ICLR 2023, equations 3 and 4): the embedding of a photo
is replaced by the mean of known text embeddings, weighted by the softmax of their cosines with it.

Shapes: B photos or texts, P dimensions of their embeddings, M embeddings in the support memory, K prefix embeddings of
width H, captions of L tokens.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    __version__,
)
from transformers import initialization as init
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs, can_return_tuple
from transformers.utils.generic import maybe_autocast

from ...travelling_code import save_code
from ..e2.configuration_e2 import E2Config
from ..e2.modeling_e2 import E2Model
from .configuration_captioner import CaptionerConfig
from .pipeline_captioner import TASK, FashionCaptioningPipeline


ALMOST = 0.85  # similarity from which a name is taken for another one that is misspelt


@dataclass
class CaptionerOutput(ModelOutput):
    """Output of [`CaptionerForConditionalGeneration`].

    Args:
        loss (`torch.Tensor` of shape `()`, *optional*): cross-entropy of the next token, if `labels` are given.
        logits (`torch.Tensor` of shape `(B, L, V)`): before the softmax, for each token of the captions.
        hidden_states (`tuple[torch.Tensor]`, *optional*): of the decoder, prefix included.
        attentions (`tuple[torch.Tensor]`, *optional*): of the decoder, prefix included.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


def make_embedder(config: PreTrainedConfig) -> PreTrainedModel:
    """Return the embedding model of a configuration, also an E2 where hf_fashion is not installed.

    Args:
        config (`PreTrainedConfig`): of E2, CLIP or SigLIP.
    """
    if config.model_type == E2Config.model_type:
        return E2Model._from_config(config)
    return AutoModel.from_config(config)


def changed_settings(decoder: PreTrainedModel) -> dict[str, Any] | None:
    """Return what differs in a model's `generation_config` from what follows from its configuration, as JSON holds it.

    Args:
        decoder (`PreTrainedModel`): a causal language model.

    Raises:
        ValueError: a setting cannot be written as JSON, or almost has the name of another.
    """
    of_config = GenerationConfig.from_model_config(decoder.config)
    try:
        own, derived = (
            json.loads(settings.to_json_string(ignore_metadata=True, keys_to_pop=["compile_config"]))
            for settings in (decoder.generation_config, of_config)
        )
    except TypeError as error:
        raise ValueError(f"`decoder.generation_config` cannot be saved: {error}.") from error
    changed = {name: own.get(name) for name in own | derived if own.get(name) != derived.get(name)}
    change_settings(of_config, changed)  # so that what is saved can be loaded
    return changed or None


def change_settings(settings: GenerationConfig, changed: dict[str, Any] | None) -> None:
    """Change generation settings in place; a decoder may have some of its own, such as `chat_format`.

    Args:
        settings (`GenerationConfig`): of a causal language model.
        changed (`dict`, *optional*): name -> value, what [`changed_settings`] returns.

    Raises:
        ValueError: a name is almost one of transformers' settings, or transformers refuses its value.
    """
    known = GenerationConfig().__dict__
    for name in changed or {}:
        near = [] if name in known else get_close_matches(name, known, 1, cutoff=ALMOST)
        if near:
            raise ValueError(
                f"`decoder_generation` names {name!r}, a setting that transformers {__version__} does not have: write "
                f"{near[0]!r}, or remove it."
            )
    settings.update(allow_custom_entries=True, **(changed or {}))


class CaptionerPrefix(nn.Module):
    """Turns an embedding into the first embeddings of the decoder, by ClipCap's MLP.

    Args:
        config (`CaptionerConfig`): the model's configuration.
        width (`int`): H, of the decoder's embeddings.
    """

    def __init__(self, config: CaptionerConfig, width: int):
        super().__init__()
        self.shape = (config.prefix_length, width)
        whole = config.prefix_length * width
        self.fc1 = nn.Linear(config.embedding_dim, whole // 2)
        self.fc2 = nn.Linear(whole // 2, whole)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """Return the prefix.

        Args:
            embeds (`torch.Tensor` of shape `(B, P)`): of length 1.

        Returns:
            `torch.Tensor` of shape `(B, K, H)`.
        """
        scaled = embeds * embeds.shape[-1] ** 0.5  # numbers of variance 1
        return self.fc2(self.fc1(scaled).tanh()).view(-1, *self.shape)


class CaptionerForConditionalGeneration(PreTrainedModel):
    """Captioner: writes a caption of a photo, or of an embedding of the model inside."""

    config_class = CaptionerConfig
    config: CaptionerConfig
    base_model_prefix = "captioner"
    main_input_name = "pixel_values"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    # `forward` takes further arguments, but the loss is the mean of its own batch: `Trainer` divides by the number of
    # accumulated batches.
    accepts_loss_kwargs = False
    new_modules = ("prefix", "decoder")

    def __init__(self, config: CaptionerConfig):
        config.validate_architecture()  # once more: `from_pretrained(folder, field=value)` sets fields later
        super().__init__(config)
        self.embedder = make_embedder(config.embedder_config)
        self.decoder = AutoModelForCausalLM.from_config(config.decoder_config)
        change_settings(self.decoder.generation_config, config.decoder_generation)
        self.prefix = CaptionerPrefix(config, self.decoder.get_input_embeddings().embedding_dim)
        if config.memory_size:
            self.register_buffer("support_memory", torch.zeros(config.memory_size, config.embedding_dim))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.decoder.set_input_embeddings(value)

    def resize_token_embeddings(self, *args, **kwargs) -> nn.Embedding:
        """Resize the decoder's embeddings, as its own method does; the embedding model's stay."""
        return self.decoder.resize_token_embeddings(*args, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, CaptionerForConditionalGeneration) and module.config.memory_size:
            init.zeros_(module.support_memory)

    def save_pretrained(self, save_directory, **kwargs):
        """Save the model with its code and that of its pipeline, so that both load without hf_fashion, and with the
        settings of `decoder.generation_config`.

        Args:
            save_directory (`str` or `Path`): a folder.
            kwargs (`dict`, *optional*): as for transformers' models.
        """
        kind = type(self)
        self.config.decoder_generation = changed_settings(self.decoder)
        self.config.auto_map = {
            "AutoConfig": f"{CaptionerConfig.__module__.split('.')[-1]}.{CaptionerConfig.__name__}",
            "AutoModel": f"{kind.__module__.split('.')[-1]}.{kind.__name__}",
        }
        home = f"{FashionCaptioningPipeline.__module__.split('.')[-1]}.{FashionCaptioningPipeline.__name__}"
        self.config.custom_pipelines = {TASK: {"impl": home, "pt": ["AutoModel"], "type": "multimodal"}}
        Path(save_directory).mkdir(parents=True, exist_ok=True)
        save_code(kind, save_directory)  # before the weights: a push sends what is in the folder then
        super().save_pretrained(save_directory, **kwargs)

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        input_ids: torch.Tensor | None = None,
        image_embeds: torch.Tensor | None = None,
        text_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> CaptionerOutput:
        """Predict every token of captions from what is before it and what they describe.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): photos from the processor.
            input_ids (`torch.Tensor` of shape `(B, L)`): tokens of the captions, from the processor.
            image_embeds (`torch.Tensor` of shape `(B, P)`, *optional*): embeddings of photos, instead of them.
            text_embeds (`torch.Tensor` of shape `(B, P)`, *optional*): embeddings of the captions, to train with.
            labels (`torch.Tensor` of shape `(B, L)`, *optional*): the tokens to predict, -100 where none counts; from
                the processor, not shifted.

        Raises:
            ValueError: not exactly one of photos, embeddings of photos and embeddings of texts is given, the
                embeddings are of another dimension, or no `input_ids` are given.
        """
        if input_ids is None:
            raise ValueError("`input_ids` are missing: the tokens of the captions. `generate` writes captions.")
        prefix = self.prefix(self._embeds(pixel_values, image_embeds, text_embeds))
        tokens = self.get_input_embeddings()(input_ids)
        outputs = self.decoder(
            inputs_embeds=torch.cat([prefix, tokens.to(prefix.dtype)], dim=1),  # (B, K + L, H)
            attention_mask=input_ids.new_ones(len(input_ids), prefix.shape[1] + input_ids.shape[1]),
            use_cache=False,
            **kwargs,
        )
        logits = outputs.logits[:, prefix.shape[1] - 1 : -1]  # (B, L, V): each from what is before its token
        loss = None
        if labels is not None:
            loss = cross_entropy(logits.flatten(0, 1).float(), labels.flatten().to(logits.device))
        return CaptionerOutput(loss, logits, outputs.hidden_states, outputs.attentions)

    @torch.no_grad()
    def generate(
        self, pixel_values: torch.Tensor | None = None, image_embeds: torch.Tensor | None = None, **kwargs
    ) -> torch.Tensor:
        """Write captions.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`, *optional*): photos from the processor.
            image_embeds (`torch.Tensor` of shape `(B, P)`, *optional*): embeddings of photos, instead of them.
            kwargs (`dict`, *optional*): as for the decoder's `generate`, such as `num_beams`. Where nothing limits the
                length, the configuration's `max_caption_length` does.

        Returns:
            `torch.Tensor` of shape `(B, L)`: tokens of the captions; the processor's `batch_decode` reads them.

        Raises:
            ValueError: not exactly one of photos and their embeddings is given, the embeddings are of another
                dimension, or the decoder has fewer positions than the prefix and `max_new_tokens` need, or than
                `max_length`.
        """
        prefix = self.prefix(self._embeds(pixel_values, image_embeds, None))
        settings = kwargs.get("generation_config") or self.decoder.generation_config
        new_tokens = kwargs.get("max_new_tokens", settings.max_new_tokens)
        length = kwargs.get("max_length", settings.max_length)
        if new_tokens is None and length is None:
            new_tokens = kwargs["max_new_tokens"] = self.config.max_caption_length
        self._check_room(prefix.shape[1], new_tokens, length)
        mask = torch.ones(prefix.shape[:2], dtype=torch.long, device=prefix.device)
        return self.decoder.generate(inputs_embeds=prefix, attention_mask=mask, **kwargs)

    def _check_room(self, prefix: int, new_tokens: int | None, length: int | None) -> None:
        positions = getattr(self.decoder.config, "max_position_embeddings", None)
        if positions and new_tokens is None and length > positions:
            raise ValueError(
                f"`max_length` is {length}, which counts the prefix of {prefix}, and the decoder has {positions} "
                f"positions: give at most {positions}."
            )
        if positions and new_tokens and prefix + new_tokens > positions:
            raise ValueError(
                f"`max_new_tokens` is {new_tokens}, the decoder has {positions} positions and {prefix} of them are "
                f"the prefix's: give at most {positions - prefix}."
            )

    def _embeds(
        self,
        pixel_values: torch.Tensor | None,
        image_embeds: torch.Tensor | None,
        text_embeds: torch.Tensor | None,
    ) -> torch.Tensor:
        """What the prefix is made of: (B, P), of length 1."""
        given = [one for one in (pixel_values, image_embeds, text_embeds) if one is not None]
        if len(given) != 1:
            raise ValueError(
                "exactly one of `pixel_values`, `image_embeds` and (in training) `text_embeds` must be given; got "
                f"{len(given)}."
            )
        if pixel_values is not None:
            image_embeds = self.embedder.get_image_features(pixel_values=pixel_values).pooler_output
        embeds = text_embeds if image_embeds is None else image_embeds
        self._check_dimension(embeds)
        dtype = self.prefix.fc1.weight.dtype
        embeds = normalize(embeds.to(torch.promote_types(dtype, torch.float32)), dim=-1)
        return (self._noised(embeds) if image_embeds is None else self._projected(embeds)).to(dtype)

    def _check_dimension(self, embeds: torch.Tensor) -> None:
        if embeds.shape[-1] != self.config.embedding_dim:
            raise ValueError(
                f"embeddings must have {self.config.embedding_dim} numbers, as those of the embedding model inside "
                f"({type(self.embedder).__name__}); got shape {tuple(embeds.shape)}: embed the photos by that model."
            )

    def _noised(self, embeds: torch.Tensor) -> torch.Tensor:
        """CapDec: text embeddings with noise, at length 1 again; in training only."""
        if self.config.method != "capdec" or not self.training:
            return embeds
        return normalize(embeds + self.config.noise_variance**0.5 * torch.randn_like(embeds), dim=-1)

    def _projected(self, embeds: torch.Tensor) -> torch.Tensor:
        """DeCap, equations 3 and 4: embeddings of photos as sums of those of texts, at length 1 again."""
        if self.config.method != "decap":
            return embeds
        memory = self.support_memory.to(embeds.dtype)
        with maybe_autocast(embeds.device.type, enabled=False):  # half precision cannot tell cosines apart
            weights = (embeds @ memory.T / self.config.memory_temperature).softmax(dim=-1)  # (B, M)
            return normalize(weights @ memory, dim=-1)


__all__ = ["CaptionerForConditionalGeneration", "CaptionerOutput", "CaptionerPrefix", "make_embedder"]
