"""E2, CLIP and the attribute-specific models as an encoder of mteb, which compares models on retrieval tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..embedding.capabilities import attribute_names, check_attribute
from ..embedding.encoder import Encoder
from ..embedding.features import max_text_length
from ..embedding.fingerprint import embedder_fingerprint


try:
    from mteb.models import ModelMeta
    from mteb.models.abs_encoder import AbsEncoder
    from mteb.models.model_meta import ScoringFunction
except ImportError as error:
    raise ImportError("models are compared by mteb: pip install 'hf-fashion[mteb]'") from error


class MtebEncoder(AbsEncoder):
    """Encodes the photos, texts, and photos with texts of mteb's tasks, as `Encoder.encode_query` does.

    Its name, revision and keyword arguments are those that mteb's registry gives to the loader of a model. For an
    attribute-specific model the attribute is the prompt of the task, as [`attribute_tasks`] set it, if none is named.

    Args:
        model_name (`str`): a folder or the id of a model on the Hub.
        revision (`str`, *optional*): branch, tag or commit. Default: results are filed under the model's fingerprint.
        device (`str`, *optional*): where to compute. Default: a GPU if there is one.
        attribute (`str`, *optional*): for attribute-specific models, the attribute of every task.
        kwargs (`Any`): as for [`Encoder.from_pretrained`].

    Raises:
        OSError: there is no such model.
        ValueError: the model cannot be loaded, or the attribute is unknown.
    """

    def __init__(
        self,
        model_name: str,
        revision: str | None = None,
        *,
        device: str | None = None,
        attribute: str | None = None,
        **kwargs: Any,
    ):
        place = {} if revision is None else {"revision": revision}
        self.model = Encoder.from_pretrained(model_name, device, **place, **kwargs)
        if attribute is not None:
            check_attribute(self.model.model, attribute)
        self.attribute = attribute
        self.mteb_model_meta = self._meta(model_name, revision)

    def _meta(self, model_name: str, revision: str | None) -> ModelMeta:
        encoder = self.model
        own = embedder_fingerprint(encoder.model, encoder.image_processor, encoder.tokenizer)
        reads_texts = not attribute_names(encoder.model)
        fields = {
            "loader": type(self),
            "name": model_name,
            "revision": revision or own,
            "modalities": ["image", "text"] if reads_texts else ["image"],
            "similarity_fn_name": ScoringFunction.COSINE,
            "framework": ["PyTorch", "Transformers"],
            "n_parameters": encoder.model.num_parameters(),
            "embed_dim": next(iter(encoder.spaces.values())),
            "max_tokens": max_text_length(encoder.model, encoder.tokenizer) if reads_texts else None,
            "experiment_kwargs": self.attribute and {"attribute": self.attribute},
        }
        return ModelMeta.create_empty(overwrites=fields)

    def encode(self, inputs: Any, *, task_metadata: Any, **options: Any) -> torch.Tensor:
        """Embed the photos, the texts or both of every batch.

        Args:
            inputs (`DataLoader`): batches, dicts with lists of photos at `"image"`, of texts at `"text"`, or both.
            task_metadata (`TaskMetadata`): its `prompt` is the attribute where the encoder has none.
            options (`Any`): others of mteb's call; queries and documents are embedded alike, batch by batch.

        Returns:
            `torch.Tensor` of shape `(N, d)`: float32, on the CPU, of length 1.

        Raises:
            ValueError: the attribute is missing or unknown, the model reads no text, or a photo cannot be read.
        """
        attribute = None
        if attribute_names(self.model.model):
            attribute = self.attribute or task_metadata.prompt
        batches = (
            self.model.encode_query(
                _queries(batch), attribute, len(_queries(batch)), show_progress_bar=False, convert_to="tensor"
            )
            for batch in inputs
        )
        return torch.cat(list(batches))


def _queries(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inputs of a batch as queries with an image, a text or both."""
    parts = {name: batch[name] for name in ("image", "text") if name in batch}
    return [dict(zip(parts, one, strict=True)) for one in zip(*parts.values(), strict=True)]
