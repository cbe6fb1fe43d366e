"""A training run of a captioner as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ...models.captioner.configuration_captioner import METHODS
from ..recipe import DataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require
from ..recipe_ranges import in_range


@dataclass
class CaptionerModelRecipe:
    """Choose the embedding model, the decoder and the method.

    Args:
        embedder (`str`): folder or Hub id of the E2, CLIP or SigLIP whose embeddings are put into words; it is frozen.
        method (`str`, *optional*, defaults to `"decap"`): `"capdec"` or `"decap"`.
        decoder (`str`, *optional*): folder or Hub id of a causal language model to start from. `None`: a GPT-2 from
            scratch, with a tokenizer of the captions.
        decoder_config (`dict`, *optional*): fields of `GPT2Config` for a decoder from scratch.
        vocab_size (`int`, *optional*, defaults to 4096): the most tokens of a tokenizer from scratch.
        prefix_length (`int`, *optional*, defaults to 4): embeddings of the decoder that an embedding becomes.
        noise_variance (`float`, *optional*): of CapDec's noise. `None`: estimated, so that the noise is as long as the
            mean distance of 128 photos to their captions.
        memory_size (`int`, *optional*, defaults to 50000): the most distinct captions in DeCap's support memory.
        memory_temperature (`float`, *optional*, defaults to 1 / 150): tau of DeCap.
        max_caption_length (`int`, *optional*, defaults to 32): the most tokens of a caption, its end included.
    """

    embedder: str = ""
    method: str = "decap"
    decoder: str | None = None
    decoder_config: dict[str, Any] = field(default_factory=dict)
    vocab_size: int = field(default=4096, metadata=in_range(at_least=257))
    prefix_length: int = field(default=4, metadata=in_range(at_least=1))
    noise_variance: float | None = field(default=None, metadata=in_range(at_least=0))
    memory_size: int = field(default=50_000, metadata=in_range(at_least=1))
    memory_temperature: float = field(default=1 / 150, metadata=in_range(above=0))
    max_caption_length: int = field(default=32, metadata=in_range(at_least=2))


@dataclass
class CaptionerRecipe(RecipeFile):
    """A run: the model, its data, its training.

    The loss is a mean over tokens. Several processes take it over the joined batch;
    `training.gradient_accumulation_steps` batches each take their own, and an update the mean of these, so that a
    token weighs more in a batch with fewer of them.
    """

    model: CaptionerModelRecipe = field(default_factory=CaptionerModelRecipe)
    data: DataRecipe = field(default_factory=DataRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)

    def __post_init__(self):
        if not self.model.embedder:
            raise ValueError("`model.embedder` must name the E2, CLIP or SigLIP whose embeddings are put into words.")
        require("model.method", self.model.method, METHODS)
        if self.model.decoder and self.model.decoder_config:
            raise ValueError("`model.decoder_config` is for a decoder from scratch: leave it or `model.decoder` out.")
        check_run(self.data, self.training)
