"""Configuration of captioners that are trained on texts only: CapDec and DeCap.

Sources: Nukrai et al., "Text-only training for image captioning using noise-injected CLIP" (CapDec), EMNLP 2022
findings; Li et al., "DeCap: decoding CLIP latents for zero-shot captioning via text-only training", ICLR 2023.
"""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ..e2.configuration_e2 import E2Config


METHODS = ("capdec", "decap")


def as_config(config: PreTrainedConfig | dict | None, default: str, name: str) -> PreTrainedConfig:
    """Return a configuration as the class of its `model_type`.

    Args:
        config (`PreTrainedConfig` or `dict`, *optional*): a configuration, or its fields.
        default (`str`): the `model_type` of fields that name none.
        name (`str`): of the field, for errors.

    Raises:
        ValueError: transformers does not know the `model_type`.
    """
    if isinstance(config, PreTrainedConfig):
        return config
    fields: dict[str, Any] = {"model_type": default, **(config or {})}
    model_type = fields.pop("model_type")
    if model_type == E2Config.model_type:  # also where hf_fashion is not installed
        return E2Config(**fields)
    if model_type not in CONFIG_MAPPING:
        raise ValueError(f"`{name}` has the `model_type` {model_type!r}, which this version of transformers lacks.")
    return CONFIG_MAPPING[model_type](**fields)


@strict
class CaptionerConfig(PreTrainedConfig):
    """Configuration of [`CaptionerForConditionalGeneration`].

    embedder_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of the frozen model that embeds photos and texts: E2 (the default), CLIP or SigLIP.
    decoder_config (`dict` or `PreTrainedConfig`, *optional*):
        Configuration of the decoder: any causal language model of transformers; GPT-2 by default.
    method (`str`, *optional*, defaults to `"capdec"`):
        How a decoder of text embeddings learns to read photos. `"capdec"`: noise on the text embeddings in training.
        `"decap"`: the embedding of a photo is projected onto the text embeddings of a support memory.
    prefix_length (`int`, *optional*, defaults to 4):
        How many embeddings of the decoder an embedding of a photo or text becomes.
    noise_variance (`float`, *optional*, defaults to 0.016):
        Variance of each number of CapDec's noise, on embeddings of length 1.
    memory_size (`int`, *optional*, defaults to 0):
        Text embeddings in the support memory of DeCap.
    memory_temperature (`float`, *optional*, defaults to 1 / 150):
        tau of DeCap's softmax over the support memory.
    max_caption_length (`int`, *optional*, defaults to 32):
        The most tokens of a caption, its end included.
    initializer_range (`float`, *optional*, defaults to 0.02):
        Standard deviation of the initial weights between embedding and decoder.
    decoder_generation (`dict`, *optional*):
        What was changed in `model.decoder.generation_config`, such as `{"repetition_penalty": 1.2}`, when the model
        was saved. A captioner is saved with it and starts from it.
    """

    model_type = "captioner"
    sub_configs = {"embedder_config": AutoConfig, "decoder_config": AutoConfig}

    embedder_config: dict | PreTrainedConfig | None = None
    decoder_config: dict | PreTrainedConfig | None = None
    method: str = "capdec"
    prefix_length: int = 4
    noise_variance: float | int = 0.016
    memory_size: int = 0
    memory_temperature: float | int = 1 / 150
    max_caption_length: int = 32
    initializer_range: float = 0.02
    decoder_generation: dict | None = None

    def __post_init__(self, **kwargs):
        self.embedder_config = as_config(self.embedder_config, E2Config.model_type, "embedder_config")
        self.decoder_config = as_config(self.decoder_config, "gpt2", "decoder_config")
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if a field has a value that no captioner can have; called by `@strict`."""
        if self.method not in METHODS:
            raise ValueError(f"`method` must be one of {METHODS}; got {self.method!r}.")
        for name in ("prefix_length", "max_caption_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {getattr(self, name)}.")
        if self.noise_variance < 0 or self.memory_temperature <= 0:
            raise ValueError(
                "`noise_variance` must be at least 0 and `memory_temperature` above 0; got "
                f"{self.noise_variance} and {self.memory_temperature}."
            )
        if (self.method == "decap") != (self.memory_size > 0):
            raise ValueError(
                "`memory_size` must be above 0 for method 'decap', which reads a support memory, and 0 for 'capdec'; "
                f"got {self.memory_size} for {self.method!r}."
            )
        positions = getattr(self.decoder_config, "max_position_embeddings", None)
        if positions is not None and positions < self.prefix_length + self.max_caption_length:
            raise ValueError(
                f"the decoder has positions for {positions} tokens: `prefix_length` and `max_caption_length` are "
                f"{self.prefix_length} and {self.max_caption_length}; lower them."
            )

    @property
    def embedding_dim(self) -> int:
        """Dimension P of the embeddings of photos and texts."""
        own = getattr(self.embedder_config, "projection_dim", None)
        return own or self.embedder_config.vision_config.hidden_size


__all__ = ["METHODS", "CaptionerConfig", "as_config"]
