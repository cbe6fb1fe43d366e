"""The text towers of E2: CLIP's and SigLIP's, or another text encoder of transformers, and what is pooled of them."""

import inspect

import torch
from transformers import AutoModel, CLIPTextModel, PreTrainedConfig, PreTrainedModel, SiglipTextModel
from transformers.utils import ModelOutput

from .towers_e2 import drop_unused


# `AutoModel` knows them only as a side of the whole model.
TEXT_SIDES = {"clip_text_model": CLIPTextModel, "siglip_text_model": SiglipTextModel}


def text_tower(config: PreTrainedConfig, pooling: str) -> PreTrainedModel:
    """Return the text tower that a configuration describes.

    Args:
        config (`PreTrainedConfig`): of the text side of a CLIP or SigLIP, or of any encoder that `AutoModel` knows.
        pooling (`str`): `text_pooling` of [`E2Config`].

    Raises:
        ValueError: it also decodes, or it has no pooler where its output is wanted.
    """
    if config.model_type in TEXT_SIDES:
        return TEXT_SIDES[config.model_type]._from_config(config)
    model = AutoModel.from_config(config)
    _check(model, pooling)
    if pooling != "pooler":
        drop_unused(model)
    return model


def _check(model: PreTrainedModel, pooling: str) -> None:
    # Not by `is_encoder_decoder`, which the encoder of a T5 is saved without.
    if "decoder_input_ids" in inspect.signature(model.forward).parameters:
        raise ValueError(
            f"A text tower must be an encoder only; for {model.config.model_type!r} transformers builds a "
            f"{type(model).__name__}, which has a decoder too."
        )
    if pooling == "pooler" and getattr(model, "pooler", None) is None:
        raise ValueError(
            f'`text_pooling` must be "mean" or "first" for a text tower of type {model.config.model_type!r}, which '
            'has no pooler; got "pooler".'
        )


def pool_text(outputs: ModelOutput, attention_mask: torch.Tensor | None, pooling: str) -> torch.Tensor:
    """Return the text embeddings (T, D) of a text encoder, before the projection.

    Args:
        outputs (`ModelOutput`): the encoder's, with `last_hidden_state` (T, L, D).
        attention_mask (`torch.Tensor` of shape `(T, L)`, *optional*): 1 for real tokens, 0 for padding.
        pooling (`str`): `text_pooling` of [`E2Config`].
    """
    if pooling == "pooler":
        return outputs.pooler_output
    hidden_states = outputs.last_hidden_state
    if pooling == "first":
        if attention_mask is None:
            return hidden_states[:, 0]
        # Not always token 0: padding may be on the left.
        first = attention_mask.long().argmax(1).view(-1, 1, 1).expand(-1, 1, hidden_states.shape[-1])  # (T, 1, D)
        return hidden_states.gather(1, first)[:, 0]
    if attention_mask is None:
        return hidden_states.mean(1)
    weights = attention_mask.unsqueeze(-1).to(hidden_states.dtype)  # (T, L, 1)
    return (hidden_states * weights).sum(1) / weights.sum(1).clamp(min=1)


__all__ = ["pool_text", "text_tower"]
