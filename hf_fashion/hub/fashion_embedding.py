"""A module of sentence-transformers around E2, CLIP, SigLIP and the attribute-specific models.

This file is saved with the model, together with all that it imports relatively (`travelling_code.py`), and loaded by
`SentenceTransformer(path, trust_remote_code=True)`, where hf_fashion may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from sentence_transformers.base.modules.input_module import InputModule
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from ..embedding.capabilities import attribute_names, check_attribute, check_reads_text, check_supported
from ..embedding.features import (
    IMAGE_INPUTS,
    inference,
    max_text_length,
    photo_features,
    photo_inputs,
    text_features,
    text_inputs,
    unit_length,
)
from ..embedding.query_photos import ANYWHERE
from ..embedding.remote_code import load_processor
from ..embedding.whole_model import load_whole
from ..images import names_photo
from ..texts import warn_of_long_texts


# To sentence-transformers' trainer, what ends with "_pixel_values" is one more column of the batch.
FEATURES = {name: name.replace("source_pixel_values", "photo_sources") for name in IMAGE_INPUTS}


class FashionEmbedding(InputModule):
    """Embeds photos, texts, or both, to vectors of length 1, equal to those of hf_fashion's `Encoder`.

    E2, CLIP and SigLIP embed photos and texts into one space, also in one batch; a prompt is put in front of texts. A
    dict of an `"image"` and a `"text"` gets the sum of both embeddings, with length 1 again. Attribute-specific models
    embed photos in one attribute, and the prompt is its name.

    Args:
        model (`PreTrainedModel`): E2, CLIP, SigLIP, ASEN, ASEN++ or IPAD.
        processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        modality_config (`dict`): the method of the model that embeds each kind of input, as the saved file has it.
        max_seq_length (`int`, *optional*): tokens that are read of a text.

    Raises:
        ValueError: the model is of another type.
    """

    config_file_name = "sentence_bert_config.json"
    config_keys = ["modality_config", "max_seq_length"]

    def __init__(
        self,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor,
        modality_config: dict[str, Any],
        max_seq_length: int | None = None,
    ):
        super().__init__()
        check_supported(model.config)
        self.model, self.processor = model, processor
        self.modality_config, self.max_seq_length = modality_config, max_seq_length

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase | None:
        """`PreTrainedTokenizerBase` or `None`: the model's, where it reads texts."""
        return getattr(self.processor, "tokenizer", None)

    @property
    def modalities(self) -> list[str | tuple[str, ...]]:
        """`list`: the kinds of inputs. sentence-transformers calls a batch of several kinds `"message"`."""
        kinds = list(self.modality_config)
        return kinds if len(kinds) == 1 else [*kinds, tuple(sorted(kinds)), "message"]

    def get_embedding_dimension(self) -> int:
        """Return the length of the vectors, by embedding a blank photo once."""
        return self._dimension

    @cached_property
    def _dimension(self) -> int:
        first = next(iter(attribute_names(self.model)), None)
        features = self.preprocess([Image.new("RGB", (64, 64))], prompt=first)
        with inference(self.model):
            return self(features)["sentence_embedding"].shape[1]

    def preprocess(
        self,
        inputs: Sequence[Any],
        prompt: str | None = None,
        task: str | None = None,
        max_length: int | None = None,
        **options: Any,
    ) -> dict[str, Tensor]:
        """Return the model's inputs for a batch of photos, texts and dicts of both, on the CPU.

        Args:
            inputs (`Sequence`): B photos in any form of [`~query_photos.photo_of`], texts, or dicts of an `"image"`
                and a `"text"`. A string that begins like a URL or ends like an image file is a photo.
            prompt (`str`, *optional*): put in front of texts; for attribute-specific models the name of an attribute.
            task (`str`, *optional*): `"query"` or `"document"`, which are embedded alike.
            max_length (`int`, *optional*): tokens that are read of a text. Default: `max_seq_length`.
            options (`Any`): refused.

        Raises:
            ValueError: an input is of another kind or cannot be read, the attribute is missing or unknown, or there
                are other options.
        """
        if options:
            raise ValueError(f"{type(self).__name__} takes no {', '.join(map(repr, options))}: omit it")
        parts = [_parts(one) for one in inputs]
        photos = {row: part["image"] for row, part in enumerate(parts) if "image" in part}
        texts = {row: part["text"] for row, part in enumerate(parts) if "text" in part}
        check_reads_text(self.model, self.tokenizer, list(texts.values()))
        features: dict[str, Tensor] = {}
        if photos:
            features |= self._photo_inputs(list(photos.values()), prompt) | {"photo_rows": torch.tensor(list(photos))}
        if texts:
            texts = {row: (prompt or "") + text for row, text in texts.items()}
            features |= self._text_inputs(list(texts.values()), max_length) | {"text_rows": torch.tensor(list(texts))}
        return features

    def _photo_inputs(self, photos: list[Any], prompt: str | None) -> dict[str, Tensor]:
        image_processor = getattr(self.processor, "image_processor", self.processor)
        names = attribute_names(self.model)
        chosen = {}
        if names:
            if not prompt:
                raise ValueError(
                    f"{type(self.model).__name__} compares photos in one attribute: name it, such as "
                    f"`encode(photos, prompt_name={names[0]!r})`, one of {', '.join(names)}"
                )
            check_attribute(self.model, prompt)
            chosen["attribute_ids"] = torch.full((len(photos), 1), names.index(prompt))
        inputs = photo_inputs(image_processor, map(ANYWHERE.open, photos))
        return {FEATURES[name]: value for name, value in inputs.items()} | chosen

    def _text_inputs(self, texts: list[str], max_length: int | None) -> dict[str, Tensor]:
        known = (max_length, self.max_seq_length, max_text_length(self.model, self.tokenizer))
        longest = min(length for length in known if length)
        warn_of_long_texts(self.tokenizer, texts, longest)
        return text_inputs(self.model, self.tokenizer, texts, longest)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add `"sentence_embedding"`, float32 of shape `(B, d)` and length 1.

        Args:
            features (`dict[str, torch.Tensor]`): from [`~FashionEmbedding.preprocess`].
        """
        embeds, rows = [], []
        if "photo_rows" in features:
            inputs = {name: features[feature] for name, feature in FEATURES.items() if feature in features}
            embeds.append(photo_features(self.model, inputs, features.get("attribute_ids")).flatten(1))  # (P, d)
            rows.append(features["photo_rows"])
        if "text_rows" in features:
            embeds.append(text_features(self.model, features))  # (T, d)
            rows.append(features["text_rows"])
        embeds, rows = unit_length(torch.cat(embeds)), torch.cat(rows).to(embeds[0].device)
        sums = embeds.new_zeros(int(rows.max()) + 1, embeds.shape[1]).index_add(0, rows, embeds)  # (B, d)
        return features | {"sentence_embedding": unit_length(sums)}

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        processor_kwargs: dict[str, Any] | None = None,
        config_kwargs: dict[str, Any] | None = None,
        backend: str = "torch",
    ) -> FashionEmbedding:
        """Load a model and its processor, as `SentenceTransformer(path, trust_remote_code=True)` asks.

        Args:
            model_name_or_path (`str`): a folder or the id of a model on the Hub.
            subfolder (`str`, *optional*, defaults to `""`): where in it the model is.
            token (`bool` or `str`, *optional*): for a private repository.
            cache_folder (`str`, *optional*): where downloads are kept.
            revision (`str`, *optional*): branch, tag or commit.
            local_files_only (`bool`, *optional*, defaults to `False`): whether nothing is downloaded.
            trust_remote_code (`bool`, *optional*, defaults to `False`): whether the model's own code may run.
            model_kwargs (`dict`, *optional*): as for `AutoModel.from_pretrained`, such as `dtype`.
            processor_kwargs (`dict`, *optional*): as for `AutoProcessor.from_pretrained`.
            config_kwargs (`dict`, *optional*): fields of the model's configuration.
            backend (`str`, *optional*, defaults to `"torch"`): only `"torch"`.

        Raises:
            OSError: there is no such model.
            ValueError: the model cannot be loaded, its checkpoint lacks weights, or the backend is another.
        """
        if backend != "torch":
            raise ValueError(f"{cls.__name__} runs on the backend 'torch', got {backend!r}")
        place = {"subfolder": subfolder, "token": token, "revision": revision, "local_files_only": local_files_only}
        config = cls.load_config(model_name_or_path, cache_folder=cache_folder, **place)
        place |= {"cache_dir": cache_folder, "trust_remote_code": trust_remote_code}
        options = {"dtype": "auto"} | (config_kwargs or {}) | (model_kwargs or {}) | place
        model = load_whole(model_name_or_path, **options)
        processor = load_processor(model_name_or_path, **(processor_kwargs or {}) | place)
        return cls(model, processor, **config)

    def save(self, output_path: str, safe_serialization: bool = True) -> None:
        """Write model, processor and `sentence_bert_config.json`. sentence-transformers adds this module's code.

        Args:
            output_path (`str`): an existing folder.
            safe_serialization (`bool`, *optional*, defaults to `True`): only `True`: weights are safetensors.

        Raises:
            ValueError: another format is asked for.
        """
        if not safe_serialization:
            raise ValueError("weights are saved as safetensors only: omit `safe_serialization=False`")
        self.model.save_pretrained(output_path)
        self.processor.save_pretrained(output_path)
        self.save_config(output_path)


def _parts(one: Any) -> dict[str, Any]:
    """The photo and the text of an input, or one of them."""
    if isinstance(one, str) and not names_photo(one):
        return {"text": one}
    if not isinstance(one, Mapping) or not set(one) & {"image", "text"}:
        return {"image": one}
    if not set(one) <= {"image", "text"} or not isinstance(one.get("text", ""), str):
        kinds = {name: type(part).__name__ for name, part in one.items()}
        raise ValueError(f'an input that is a dict has an "image", a "text" that is a string, or both; got {kinds}')
    return dict(one)
