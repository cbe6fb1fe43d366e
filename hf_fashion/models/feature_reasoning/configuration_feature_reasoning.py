"""Configuration of FR, the feature reasoning of Wan et al., "From spatial to semantic: attribute-aware fashion
similarity learning via iterative positioning and attribute diverging" (IPAD), 2025, section 3.3."""

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig


@strict
class FeatureReasoningConfig(PreTrainedConfig):
    """Configuration of [`FeatureReasoningModel`].

    num_candidates (`int`, *optional*, defaults to 499):
        k, the longest list of candidates that is re-ranked: the paper's sequence of n_r = k + 1 images without the
        query. The weights are made for it; shorter lists are padded.
    hidden_size (`int`, *optional*, defaults to 1024):
        H, width of the update networks.
    num_rounds (`int`, *optional*, defaults to 1):
        n_t, how often query and candidates move. All rounds share the weights.
    step_size (`float`, *optional*, defaults to 2e-4):
        rho of eq. 13, how far a feature of length 1 moves along its gradient.
    norm_eps (`float`, *optional*, defaults to 1e-5):
        What is added to the variance in the normalisations.
    logit_scale_init_value (`float`, *optional*, defaults to 2.6593):
        Logarithm of the factor on the cosines in the loss, to start with or to keep; the default is that of 1 / 0.07.
    embedder_fingerprints (`list[str]`, *optional*):
        Fingerprints of the embedding model whose searches it has learned to re-rank, one for each float type.
    """

    model_type = "feature_reasoning"

    num_candidates: int = 499
    hidden_size: int = 1024
    num_rounds: int = 1
    step_size: float = 2e-4
    norm_eps: float = 1e-5
    logit_scale_init_value: float | int = 2.6593
    embedder_fingerprints: list[str] | None = None

    def validate_architecture(self):
        """Raise if a field has a value that no model can have; called by `@strict`."""
        for name in ("num_candidates", "hidden_size", "num_rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {getattr(self, name)}.")
        for name in ("step_size", "norm_eps"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be above 0; got {getattr(self, name)}.")


FeatureReasoningConfig.register_for_auto_class()

__all__ = ["FeatureReasoningConfig"]
