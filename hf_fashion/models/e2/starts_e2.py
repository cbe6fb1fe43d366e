"""What an E2 is built around: encoders of transformers, given as models, folders or Hub ids."""

from dataclasses import dataclass
from os import PathLike

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from .configuration_e2 import E2Config
from .towers_e2 import tower_family


# Models of two towers in one checkpoint.
TWO_TOWERS = ("clip", "siglip")


def float_type(dtype: torch.dtype | str | None) -> torch.dtype | None:
    """Return the float type of a model, `None` where it is that of its checkpoint.

    Args:
        dtype (`torch.dtype` or `str`, *optional*): such as `"bfloat16"`; `"auto"` is that of the checkpoint.

    Raises:
        ValueError: it is no float type.
    """
    found = getattr(torch, dtype.removeprefix("torch."), dtype) if isinstance(dtype, str) else dtype
    if found in (None, "auto"):
        return None
    if not (isinstance(found, torch.dtype) and found.is_floating_point):
        raise ValueError(f'`dtype` must be a float type of torch, such as "bfloat16", or "auto"; got {dtype!r}.')
    return found


@dataclass
class Start:
    """An encoder, or a model of two, with its configuration.

    Args:
        config (`PreTrainedConfig`): its configuration.
        source (`PreTrainedModel`, `str` or `os.PathLike`): the model, its folder or its Hub id.
    """

    config: PreTrainedConfig
    source: PreTrainedModel | str | PathLike

    @classmethod
    def of(cls, source: PreTrainedModel | str | PathLike) -> "Start":
        """Read the configuration of a model, a folder or a Hub id."""
        if isinstance(source, PreTrainedModel):
            return cls(source.config, source)
        return cls(AutoConfig.from_pretrained(source, trust_remote_code=False), source)

    @property
    def has_two_towers(self) -> bool:
        """`bool`: Whether it is a CLIP or a SigLIP, and not one encoder."""
        return self.config.model_type in TWO_TOWERS

    def side(self, name: str) -> PreTrainedConfig:
        """Return the configuration of its `"vision"` or `"text"` side, or that of the encoder itself."""
        return getattr(self.config, f"{name}_config") if self.has_two_towers else self.config

    def load(self, name: str | None = None, dtype: torch.dtype | None = None) -> PreTrainedModel:
        """Return the model, or its `"vision"` or `"text"` side, a checkpoint in `dtype` or its own float type.

        Raises:
            ValueError: a checkpoint lacks weights of the model that its configuration names.
        """
        model = self.source
        if not isinstance(model, PreTrainedModel):
            options = {"trust_remote_code": False, "use_safetensors": True, "output_loading_info": True}
            model, info = AutoModel.from_pretrained(model, dtype=dtype or "auto", **options)
            missing = sorted(key for key in info["missing_keys"] if not _is_unused(key))
            if missing:
                raise ValueError(
                    f"{self.source} is not a whole {self.config.model_type!r} checkpoint: missing {missing}."
                )
        return getattr(model, f"{name}_model") if name and self.has_two_towers else model


def towers_config(kind: type[E2Config], vision: Start, text: Start | None, fields: dict) -> E2Config:
    """Return the configuration of an E2 or a FILIP around two encoders, or around a SigLIP.

    Args:
        kind (`type`): class of the configuration.
        vision (`Start`): the vision encoder or, without `text`, a SigLIP.
        text (`Start`, *optional*): the text encoder.
        fields (`dict`): fields of the configuration or of its vision tower.

    Raises:
        ValueError: E2 does not run on that vision encoder, or only one tower is given.
    """
    vision_config = vision.side("vision")
    if vision_config.model_type != "clip_vision_model":
        tower_family(vision_config)
    if text is not None:
        return kind(**{"vision_config": vision_config, "text_config": text.side("text"), **fields})
    if not vision.has_two_towers:
        raise ValueError(
            f"`text` is missing: {vision.config.model_type!r} is a vision encoder only. Give a text encoder too, or a "
            f"model of two towers ({', '.join(TWO_TOWERS)})."
        )
    whole = {"projection_dim": vision_config.hidden_size, "project_towers": False, "contrastive_loss": "sigmoid"}
    return kind(**{"vision_config": vision_config, "text_config": vision.side("text"), **whole, **fields})


def copy_tower(tower: PreTrainedModel, encoder: PreTrainedModel, new_modules: tuple[str, ...] = ()) -> None:
    """Copy an encoder's weights into a tower of E2, exactly.

    Args:
        tower (`PreTrainedModel`): of the same names, without what E2 does not call.
        encoder (`PreTrainedModel`): the encoder.
        new_modules (`tuple[str]`, *optional*): what the tower has and the encoder lacks.

    Raises:
        ValueError: their weights have other names or shapes.
    """
    missing, unexpected = tower.load_state_dict(encoder.state_dict(), strict=False)
    missing = [name for name in missing if not name.startswith(tuple(new_modules)) and not _is_unused(name)]
    unexpected = [name for name in unexpected if not _is_unused(name)]
    if missing or unexpected:
        raise ValueError(
            f"The weights of {type(encoder).__name__} do not fit: missing {missing}, unexpected {unexpected}."
        )


def _is_unused(name: str) -> bool:
    return name.startswith("pooler.") or ".pooler." in name or name.endswith("mask_token")


__all__ = ["Start", "copy_tower", "float_type", "towers_config"]
