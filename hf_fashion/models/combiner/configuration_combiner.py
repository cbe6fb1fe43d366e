"""Configuration of a combiner of a photo and words, after Baldrati et al., "Effective conditioned and composed image
retrieval combining CLIP-based features", CVPR 2022."""

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig


@strict
class CombinerConfig(PreTrainedConfig):
    """Configuration of [`CombinerModel`].

    spaces (`list[str]`, *optional*):
        S spaces that are searched, the first of them `"image"`, then E2's tag entities. Default: `["image"]`.
    embed_dim (`int`, *optional*, defaults to 512):
        d, dimension of the embeddings in all of them.
    hidden_size (`int`, *optional*, defaults to 512):
        H, width of the layers.
    dropout (`float`, *optional*, defaults to 0.5):
        Probability of dropout behind each hidden layer.
    logit_scale_init_value (`float`, *optional*, defaults to 2.6593):
        Logarithm of the factor on the scores in the loss, to start with; the default is that of 1 / 0.07.
    embedder_fingerprints (`list[str]`, *optional*):
        Fingerprints of the embedding model whose embeddings it has learned to combine, one for each float type.
    """

    model_type = "combiner"

    spaces: list[str] | None = None
    embed_dim: int = 512
    hidden_size: int = 512
    dropout: float | int = 0.5
    logit_scale_init_value: float | int = 2.6593
    embedder_fingerprints: list[str] | None = None

    def __post_init__(self, **kwargs):
        self.spaces = ["image"] if self.spaces is None else self.spaces
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Raise if a field has a value that no model can have; called by `@strict`."""
        for name in ("embed_dim", "hidden_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {getattr(self, name)}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1; got {self.dropout}.")
        if self.spaces[:1] != ["image"] or len(set(self.spaces)) < len(self.spaces):
            raise ValueError(f'`spaces` must begin with "image" and name each space once; got {self.spaces}.')


CombinerConfig.register_for_auto_class()

__all__ = ["CombinerConfig"]
