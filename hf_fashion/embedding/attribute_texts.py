"""Attributes by their names and values -> text vectors, by E2, CLIP or any text encoder of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from ..messages import shown
from ..models.attribute.table_attribute import as_values
from ..models.e2.texts_e2 import max_tokens
from ..texts import tokenize, warn_of_long_texts
from .encoder import Encoder
from .features import inference, unit_length
from .saved_models import named_errors


def attribute_text(name: str, values: Sequence[str] | str = ()) -> str:
    """Return the text of an attribute, such as `"heel height: flat, high"`.

    Args:
        name (`str`): the attribute; underscores are read as spaces.
        values (`list[str]` or `str`, *optional*): its values.
    """
    first, *others = [text.replace("_", " ") for text in (name, *as_values(values))]
    return f"{first}: {', '.join(others)}" if others else first


def embed_attribute_texts(
    text_encoder: str | Path, attributes: Mapping[str, Sequence[str]], trust_remote_code: bool = False
) -> Tensor:
    """Embed attributes by the text `"name: value, value"` of each.

    E2, CLIP and SigLIP embed a text as for search. Of other encoders it is the mean over the text's tokens in the last
    layer, also where there is a pooler, which most checkpoints train for another task.

    Args:
        text_encoder (`str` or `Path`): folder or Hub id of E2, CLIP or SigLIP, or of an encoder that `AutoModel`
            loads, with its tokenizer.
        attributes (`dict[str, list[str]]`): attribute -> its values, which may be none.
        trust_remote_code (`bool`, *optional*, defaults to `False`): whether to run code that the encoder brings.

    Returns:
        `torch.Tensor` of shape `(A, T)`: L2-normalised, float32, on the CPU.

    Raises:
        OSError: there is no such model.
        ValueError: `text_encoder` is neither folder nor id, `attributes` is no dict or empty, values are no strings,
            or the model reads no text or cannot be loaded.
    """
    if not isinstance(text_encoder, (str, Path)):
        raise ValueError(
            f"`text_encoder` must be a folder or a Hub id, got {type(text_encoder).__name__}: save it with its "
            "tokenizer, and name the folder"
        )
    if not isinstance(attributes, Mapping):
        raise ValueError(f"`attributes` must be a dict, attribute -> its values, got {shown(attributes)}")
    texts = [attribute_text(name, values) for name, values in attributes.items()]
    if not texts:
        raise ValueError("`attributes` must name at least one attribute, got none.")
    trusted = {"trust_remote_code": trust_remote_code}
    with named_errors(text_encoder):
        config = AutoConfig.from_pretrained(text_encoder, **trusted)
    if hasattr(config, "text_config"):
        encoder = Encoder.from_pretrained(text_encoder, "cpu", torch.float32, **trusted)
        return encoder.encode(texts, show_progress_bar=False, convert_to="tensor")
    if config.is_encoder_decoder or hasattr(config, "attribute_names"):
        raise ValueError(
            f"{str(text_encoder)!r} is of type {config.model_type!r}, which is no text encoder: name E2, CLIP, "
            "SigLIP, or an encoder such as BERT."
        )
    with named_errors(text_encoder):
        model = AutoModel.from_pretrained(text_encoder, dtype=torch.float32, use_safetensors=True, **trusted)
        return _mean_embeds(model, AutoTokenizer.from_pretrained(text_encoder, **trusted), texts)


def _mean_embeds(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Tensor:
    limit = max_tokens(tokenizer, model.config)
    warn_of_long_texts(tokenizer, texts, limit)
    tokens = tokenize(tokenizer, texts, limit, padding=True, return_tensors="pt")
    with inference(model):
        states = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
    mask = tokens["attention_mask"][..., None].to(states.dtype)  # (A, L, 1)
    return unit_length((states * mask).sum(1) / mask.sum(1))


__all__ = ["attribute_text", "embed_attribute_texts"]
