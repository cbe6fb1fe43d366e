"""Photos, texts and queries -> embeddings, with the calls that sentence-transformers' users know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from ..images import names_photo
from ..texts import require_characters, warn_of_long_texts
from .capabilities import (
    attribute_names,
    check_attribute,
    check_reads_text,
    check_regions,
    check_supported,
    space_names,
)
from .features import (
    inference,
    max_text_length,
    photo_and_region_features,
    photo_features,
    photo_inputs,
    require_batch_size,
    text_features,
    text_inputs,
    unit_length,
)
from .queries import FashionQuery, holds_several
from .query_photos import ANYWHERE, PhotoSources
from .query_vectors import embed_queries, prepare_query
from .saved_models import load_model


Photo = Image.Image | bytes | np.ndarray | Tensor | Path | str
Embeddings = np.ndarray | Tensor


class Encoder:
    """Embeds photos, texts and queries with E2, CLIP, SigLIP or an attribute-specific model.

    ```python
    encoder = Encoder.from_pretrained("my_model")
    products = encoder.encode_document(["photos/1.jpg", "photos/2.jpg"])  # (2, d)
    query = encoder.encode_query("a red dress with stripes")              # (d,)
    encoder.similarity(query, products)                                   # (1, 2), cosines
    ```

    E2, CLIP and SigLIP embed photos and texts into one space, `"image"`. Attribute-specific models read photos only
    and have a space for each attribute: their `encode` returns a dict of arrays, or one array where an `attribute` is
    named.

    The model computes in its float type, on its device, in evaluation mode; embeddings are float32 on the CPU.

    Args:
        model (`PreTrainedModel`): E2, CLIP, SigLIP, ASEN, ASEN++ or IPAD.
        processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): the model's, where `processor` has none.
        regions (`bool`, *optional*, defaults to `False`): whether [`~Encoder.embed_photos`] also embeds the region of
            each tag entity, of E2, in a space of its own.

    Raises:
        ValueError: the model is of another type, or has no regions.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor,
        tokenizer: PreTrainedTokenizerBase | None = None,
        regions: bool = False,
    ):
        check_supported(model.config)
        if regions:
            check_regions(model)
        self.regions = regions
        self.model = model
        self.image_processor = getattr(processor, "image_processor", processor)
        self.tokenizer = getattr(processor, "tokenizer", tokenizer)

    @classmethod
    def from_pretrained(
        cls,
        path_or_id: str | Path,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype = "auto",
        **kwargs: Any,
    ) -> Encoder:
        """Load a model and its processor.

        Args:
            path_or_id (`str` or `Path`): a folder or the id of a model on the Hub.
            device (`str` or `torch.device`, *optional*): where to compute. Default: a GPU if there is one.
            dtype (`str` or `torch.dtype`, *optional*, defaults to `"auto"`): float type of the model; `"auto"`: as it
                was saved.
            kwargs (`Any`): as for `AutoModel.from_pretrained`, such as `revision` or `token`.

        Raises:
            OSError: there is no such model.
            ValueError: the model cannot be loaded, its checkpoint lacks weights, there is no such device, or as above.
        """
        return cls(*load_model(path_or_id, device, dtype, **kwargs))

    @property
    def space_names(self) -> list[str]:
        """Names of the spaces: the model's attributes, or `"image"`, and with `regions` the tag entities."""
        return space_names(self.model, self.regions)

    @cached_property
    def spaces(self) -> dict[str, int]:
        """Name and dimension of each space, such as `{"image": 512}`."""
        embeds = self.embed_photos(self.prepare_photos([Image.new("RGB", (64, 64))]))
        return {space: rows.shape[1] for space, rows in embeds.items()}

    def encode(
        self,
        inputs: Photo | Sequence[Photo],
        attribute: str | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        convert_to: Literal["numpy", "tensor"] = "numpy",
        normalize: bool = True,
        dimensions: int | None = None,
    ) -> Embeddings | dict[str, Embeddings]:
        """Embed photos, texts, or a mixed list of both; their order is kept.

        A string that begins like a URL or ends like an image file is a photo, any other is a text. Texts that are
        longer than the model reads are cut, and one warning says how many.

        Args:
            inputs (`PIL.Image.Image`, `bytes`, array, `Path`, `str` or a list of them): N photos and texts, or a
                single one. Pixels in an array or a tensor are uint8, or floats from 0 to 1.
            attribute (`str`, *optional*): for attribute-specific models, the attribute to embed photos for. Default:
                all of them.
            batch_size (`int`, *optional*, defaults to 32): inputs a forward pass.
            show_progress_bar (`bool`, *optional*): whether to show a bar. Default: in a terminal.
            convert_to (`str`, *optional*, defaults to `"numpy"`): `"numpy"` or `"tensor"`.
            normalize (`bool`, *optional*, defaults to `True`): whether embeddings get length 1. Attribute-specific
                models normalise theirs in any case.
            dimensions (`int`, *optional*): keep the first `dimensions` numbers of each embedding only. Default: all.

        Returns:
            `numpy.ndarray` or `torch.Tensor` of shape `(N, d)`, for a single input `(d,)`. Without an `attribute`,
            attribute-specific models give a dict of these by attribute.

        Raises:
            ValueError: there is nothing to embed, the model reads no text, the attribute is unknown, a photo cannot be
                read, there are fewer than `dimensions` numbers, or `batch_size` is below 1.
        """
        require_batch_size(batch_size)
        several, single = _as_list(inputs)
        texts = [one for one in several if not _is_photo(one)]
        check_reads_text(self.model, self.tokenizer, texts)
        self._check_options(attribute, dimensions)
        self._warn_of_long_texts(texts)

        def features(batch: list[Photo]) -> dict[str, Tensor]:
            return self._features(batch, attribute)

        found = self._in_batches(features, several, batch_size, show_progress_bar)
        for space, embeds in found.items():
            embeds = embeds[:, :dimensions]
            found[space] = _as_asked(unit_length(embeds) if normalize else embeds, convert_to, single)
        return found if attribute_names(self.model) and attribute is None else found[attribute or "image"]

    def encode_document(self, photos: Photo | Sequence[Photo], **options: Any) -> Embeddings | dict[str, Embeddings]:
        """Embed the photos of products. Every string is the path or URL of a photo.

        Args:
            photos (`PIL.Image.Image`, `bytes`, array, `Path`, `str` or a list of them): N photos, or a single one.
            options (`Any`): as for [`~Encoder.encode`].

        Returns:
            As [`~Encoder.encode`].

        Raises:
            ValueError: as [`~Encoder.encode`].
        """
        several, single = _as_list(photos)
        paths = [one if _is_photo(one) else Path(one) for one in several]
        return self.encode(paths[0] if single else paths, **options)

    def encode_query(
        self,
        queries: Any,
        attribute: str | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        convert_to: Literal["numpy", "tensor"] = "numpy",
        dimensions: int | None = None,
    ) -> Embeddings:
        """Embed queries of every form: each is the weighted sum of the embeddings of its photo and terms.

        Args:
            queries (`Any`): a query or a list of them: a photo, a text, a dict of terms and their weights, or a dict
                with an `"image"`, a `"text"` or `"terms"`, an `"image_weight"`, and an `"attribute"` or an `"entity"`,
                whose region E2 embeds of the photo.
            attribute (`str`, *optional*): for queries that name none, of attribute-specific models.
            batch_size (`int`, *optional*, defaults to 32): queries a forward pass.
            show_progress_bar (`bool`, *optional*): whether to show a bar. Default: in a terminal.
            convert_to (`str`, *optional*, defaults to `"numpy"`): `"numpy"` or `"tensor"`.
            dimensions (`int`, *optional*): keep the first `dimensions` numbers of each embedding only. Default: all.

        Returns:
            `numpy.ndarray` or `torch.Tensor` of shape `(N, d)`, for a single query `(d,)`, of length 1.

        Raises:
            ValueError: a query has another form or a `change`, which only the pipeline searches by, its attribute is
                missing or unknown, its entity is unknown, its weights cancel out, its photo cannot be read, there
                are fewer than `dimensions` numbers, or `batch_size` is below 1.
        """
        require_batch_size(batch_size)
        several, single = _as_list(queries)
        self._check_options(None, dimensions)
        read = [_read(query, attribute) for query in several]
        self._warn_of_long_texts([term for query in read for term in query.terms])

        def embeds(batch: list[FashionQuery]) -> dict[str, Tensor]:
            return {"query": self.embed_queries([self._prepare(query) for query in batch]).cpu()}

        found = self._in_batches(embeds, read, batch_size, show_progress_bar)["query"]
        return _as_asked(found if dimensions is None else unit_length(found[:, :dimensions]), convert_to, single)

    def similarity(self, a: Embeddings, b: Embeddings) -> Tensor:
        """Return the cosine of every pair of embeddings.

        Args:
            a (`numpy.ndarray` or `torch.Tensor` of shape `(N, d)` or `(d,)`): embeddings.
            b (`numpy.ndarray` or `torch.Tensor` of shape `(M, d)` or `(d,)`): embeddings in the same space.

        Returns:
            `torch.Tensor` of shape `(N, M)`: float32.
        """
        a, b = (unit_length(torch.atleast_2d(torch.as_tensor(embeds))) for embeds in (a, b))
        return a @ b.T

    def prepare_photos(self, photos: Iterable[Image.Image]) -> dict[str, Tensor]:
        """Return the model's inputs for B photos, on the CPU. Threads may call it at the same time.

        Args:
            photos (`Iterable[PIL.Image.Image]`): B photos in RGB; a generator may decode them one at a time.
        """
        return photo_inputs(self.image_processor, photos)

    def embed_photos(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Embed B photos in every space of `space_names`, as galleries store them.

        Args:
            inputs (`dict[str, torch.Tensor]`): from [`~Encoder.prepare_photos`].

        Returns:
            `dict[str, torch.Tensor]`: for each space (B, d), L2-normalised, float32, on the CPU.
        """
        with inference(self.model):
            if self.regions:
                features = unit_length(photo_and_region_features(self.model, inputs))
            else:
                features = photo_features(self.model, inputs)
            if features.ndim == 2:
                return {"image": unit_length(features).cpu()}
            return dict(zip(self.space_names, features.cpu().unbind(dim=1), strict=True))

    def prepare_query(
        self,
        query: Any,
        attribute: str | None = None,
        known: Sequence[str] | None = None,
        sources: PhotoSources = ANYWHERE,
        entity: str | None = None,
    ) -> dict[str, Any]:
        """Return one query of any form as the model's inputs, on the CPU. A warning says where its texts are cut.

        Args:
            query (`Any`): as for [`~Encoder.encode_query`].
            attribute (`str`, *optional*): for a query that names none.
            known (`Sequence[str]`, *optional*): the spaces that are stored, where not all of the model's are.
            sources ([`PhotoSources`], *optional*): where a photo that is named is read from. Default: paths and URLs.
            entity (`str`, *optional*): for a query that names none.

        Raises:
            ValueError: the query has another form, its attribute is missing or unknown, its entity is unknown or not
                stored, it has terms and the model reads no text, or its photo cannot be read.
        """
        read = _read(query, attribute, entity)
        prepared = self._prepare(read, known, sources)
        self._warn_of_long_texts(list(read.terms))
        return prepared

    def embed_queries(self, queries: Sequence[dict[str, Any]]) -> Tensor:
        """Embed B queries.

        Args:
            queries (`Sequence[dict]`): from [`~Encoder.prepare_query`], on the CPU or the model's device.

        Returns:
            `torch.Tensor` of shape `(B, d)`: of length 1, float32, on the model's device.

        Raises:
            ValueError: a query's weights cancel out, or it has a `change`.
        """
        return embed_queries(queries, self.model, self.tokenizer)

    def _prepare(
        self, query: FashionQuery, known: Sequence[str] | None = None, sources: PhotoSources = ANYWHERE
    ) -> dict[str, Any]:
        return prepare_query(query, self.model, self.image_processor, self.tokenizer, known, sources)

    def _warn_of_long_texts(self, texts: list[str]) -> None:
        require_characters(texts)
        if texts and self.tokenizer is not None:  # without one, texts are refused
            warn_of_long_texts(self.tokenizer, texts, max_text_length(self.model, self.tokenizer))

    def _check_options(self, attribute: str | None, dimensions: int | None) -> None:
        if attribute is not None:
            check_attribute(self.model, attribute)
        if dimensions is not None and not 1 <= dimensions <= min(self.spaces.values()):
            raise ValueError(
                f"`dimensions` must be from 1 to {min(self.spaces.values())}, the numbers of an embedding, got "
                f"{dimensions}"
            )

    def _in_batches(
        self,
        embed: Callable[[list[Any]], dict[str, Tensor]],
        inputs: list[Any],
        batch_size: int,
        show_progress_bar: bool | None,
    ) -> dict[str, Tensor]:
        """What `embed` gives of each batch, as one tensor a space."""
        if not inputs:
            raise ValueError("there is nothing to embed, got an empty list")
        hidden = None if show_progress_bar is None else not show_progress_bar  # `None`: shown in a terminal
        parts: dict[str, list[Tensor]] = {}
        with tqdm(total=len(inputs), desc="encoding", unit="input", disable=hidden) as bar:
            for start in range(0, len(inputs), batch_size):
                batch = inputs[start : start + batch_size]
                with inference(self.model):
                    for space, rows in embed(batch).items():
                        parts.setdefault(space, []).append(rows)
                bar.update(len(batch))
        return {space: torch.cat(rows) for space, rows in parts.items()}

    def _features(self, batch: list[Photo], attribute: str | None) -> dict[str, Tensor]:
        """Of B photos and texts, for each asked space (B, d), on the CPU."""
        is_photo = torch.tensor([_is_photo(one) for one in batch])
        photos = [one for one in batch if _is_photo(one)]
        texts = [one for one in batch if not _is_photo(one)]
        if not texts:
            return self._photo_features(photos, attribute)
        features = text_features(self.model, text_inputs(self.model, self.tokenizer, texts)).cpu()
        if not photos:
            return {"image": features}
        mixed = features.new_empty(len(batch), features.shape[1])
        mixed[~is_photo], mixed[is_photo] = features, self._photo_features(photos, attribute)["image"]
        return {"image": mixed}

    def _photo_features(self, photos: list[Photo], attribute: str | None) -> dict[str, Tensor]:
        every = attribute_names(self.model)
        names = every if attribute is None else [attribute]
        ids = None if attribute is None else torch.full((len(photos), 1), every.index(attribute))
        inputs = self.prepare_photos(map(ANYWHERE.open, photos))
        features = photo_features(self.model, inputs, ids).cpu()
        return dict(zip(names, features.unbind(dim=1), strict=True)) if features.ndim == 3 else {"image": features}


def _read(query: Any, attribute: str | None, entity: str | None = None) -> FashionQuery:
    """A query of any form; `attribute` and `entity` are for one that names none."""
    read = FashionQuery.read(query)
    if read.attribute is None and read.entity is None and read.change is None:
        return replace(read, attribute=attribute, entity=entity)
    return read


def _is_photo(one: Any) -> bool:
    return not isinstance(one, str) or names_photo(one)


def _as_list(inputs: Any) -> tuple[list[Any], bool]:
    """Inputs as a list, and whether there is a single one, which is not in a list."""
    single = not holds_several(inputs)
    return ([inputs] if single else list(inputs)), single


def _as_asked(embeds: Tensor, convert_to: str, single: bool) -> Embeddings:
    """(N, d), or the only row (d,), as an array or a tensor."""
    embeds = embeds[0] if single else embeds
    return embeds.numpy() if convert_to == "numpy" else embeds
