"""Configuration of FILIP (Yao et al., "FILIP: Fine-grained Interactive Language-Image Pre-Training", ICLR 2022)."""

from huggingface_hub.dataclasses import strict

from .configuration_e2 import E2Config


# Fields of E2's losses that FILIP's has not.
_LOSS_OF_E2 = ("contrastive_loss_weight", "region_loss_weight", "region_targets")


@strict
class FilipConfig(E2Config):
    """Configuration of FILIP: the fields of [`E2Config`], without tag entities and without weights of losses."""

    model_type = "filip"

    def __post_init__(self, **kwargs):
        vision = self.vision_config
        named = vision.get("tag_entities") if isinstance(vision, dict) else getattr(vision, "tag_entities", None)
        entities = kwargs.pop("tag_entities", None) or named
        if entities:
            raise ValueError(
                f"`tag_entities` must be empty: a FILIP compares tokens and has no regions; got {entities}."
            )
        super().__post_init__(**kwargs, tag_entities=[])

    def validate_architecture(self):
        """Raise if fields contradict each other, or would be ignored; called by `@strict`."""
        super().validate_architecture()
        changed = [name for name in _LOSS_OF_E2 if getattr(self, name) != getattr(E2Config, name)]
        changed += ["weighted_entities"] if self.weighted_entities else []
        if changed:
            raise ValueError(
                f"{changed} are fields of E2's losses and text embeddings, which FILIP has not: remove them."
            )


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
FilipConfig.register_for_auto_class()

__all__ = ["FilipConfig"]
