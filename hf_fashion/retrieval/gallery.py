"""A catalogue's embeddings, kept on disk and searched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch
from datasets import Dataset
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from .catalogue import Catalogue
from .embed_catalogue import embed_catalogue
from .exact_search import ExactSearch, rounded
from .fingerprint import model_fingerprint
from .gallery_schema import ID, GallerySchema, directions, vectors_of
from .lance_store import LanceStore
from .photo_embedder import PhotoEmbedder
from .results import RetrievalResults
from .vector_store import VectorStore, damage


# Galleries with at most so many products are searched exactly, in memory; larger ones by the store. In memory a space
# of d dimensions takes 4 d bytes a product.
EXACT_SEARCH_LIMIT = 100_000


class Gallery:
    """Products with metadata and one vector for each *space*: `"image"` for E2 and CLIP, one space for each attribute
    of an attribute-specific model.

    Vectors are stored L2-normalised in float16. Every change is one commit, on disk when the call returns: a killed
    process leaves the gallery as it was before or after. One process at a time may change a gallery, while any number
    of others read it; they see a change with their next call.

    Filters are conditions of SQL on the metadata columns and `id`: `"brand = 'Lumaro' AND price < 50"`,
    ``"`sub-category` IN ('coat', 'jacket')"``, `"season IS NOT NULL"`, `"array_has(colours, 'red')"`.

    Use [`Gallery.create`], [`Gallery.open`] or [`Gallery.from_dataset`].
    """

    def __init__(self, store: VectorStore):
        self.schema = GallerySchema.from_table(store.schema)
        self._store = store
        self._in_memory: dict[str, tuple[int, ExactSearch]] = {}  # space -> version of the table, search

    @classmethod
    def create(
        cls,
        uri: str | Path,
        spaces: Mapping[str, int],
        metadata_schema: pa.Schema | None = None,
        fingerprint: str = "",
    ) -> Gallery:
        """Makes an empty gallery.

        Args:
            uri (`str` or `Path`): a folder, or a URI of object storage such as `s3://bucket/gallery`.
            spaces (`Mapping[str, int]`): dimension of each space.
            metadata_schema (`pyarrow.Schema`, *optional*): names and types of the metadata columns.
            fingerprint (`str`, *optional*): [`~fingerprint.model_fingerprint`] of the model whose vectors will be
                added.

        Raises:
            FileExistsError: there is a gallery already.
            ValueError: there is no space, or a metadata column has a name that filters cannot use.
            ImportError: LanceDB is not installed.
        """
        metadata_schema = pa.schema([]) if metadata_schema is None else metadata_schema
        schema = GallerySchema(dict(spaces), metadata_schema, fingerprint)
        return cls(LanceStore.create(str(uri), schema.to_table()))

    @classmethod
    def open(cls, uri: str | Path) -> Gallery:
        """Opens a gallery.

        Args:
            uri (`str` or `Path`): what [`Gallery.create`] was given.

        Raises:
            FileNotFoundError: there is none.
            OSError: files of it are missing, cut off or unreadable.
            ValueError: the table there is no gallery, or of a newer version.
            ImportError: LanceDB is not installed.
        """
        return cls(LanceStore.open(str(uri)))

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor,
        uri: str | Path,
        id_column: str,
        image_column: str = "image",
        metadata_columns: Sequence[str] = (),
        batch_size: int = 64,
        progress: bool = True,
    ) -> Gallery:
        """Embeds the photos of a catalogue; goes on with what is missing where the gallery exists already.

        Every batch is one commit. A run that was killed, whenever it was, is started again with the same arguments and
        ends with the gallery of an undisturbed run. Products are known by their ids alone: to embed changed photos,
        [`~Gallery.delete`] these products first.

        Args:
            dataset (`datasets.Dataset`): one product a row.
            model (`PreTrainedModel`): E2, CLIP, ASEN, ASEN++ or IPAD, on any device.
            processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
            uri (`str` or `Path`): a folder, or a URI of object storage.
            id_column (`str`): column of ids, which are strings or integers.
            image_column (`str`, *optional*, defaults to `"image"`): column of photos; of a list of them the first
                counts.
            metadata_columns (`Sequence[str]`, *optional*): what filters and results shall know: columns of strings,
                class labels, numbers, booleans, dates, or lists of those.
            batch_size (`int`, *optional*, defaults to 64): photos a forward pass and a commit.
            progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

        Raises:
            ValueError: before anything is embedded: a column is missing or of a wrong type, an id or photo is null, an
                id comes twice, the gallery there is of another model or has other spaces or metadata columns. In the
                middle: a photo cannot be read; the error names the row, and what was embedded before is kept.
            OSError: the gallery there is damaged.
            ImportError: LanceDB is not installed.
        """
        catalogue = Catalogue(dataset, id_column, image_column, metadata_columns)
        embedder = PhotoEmbedder(model, processor)
        schema = GallerySchema(embedder.spaces(), catalogue.metadata_schema, model_fingerprint(model))
        try:
            gallery = cls.open(uri)
        except FileNotFoundError:
            gallery = cls.create(uri, schema.spaces, schema.metadata, schema.fingerprint)
        gallery._check_fingerprint(schema.fingerprint)
        gallery.schema.require_same_columns(schema, str(uri))
        embed_catalogue(gallery, embedder, catalogue, batch_size, progress)
        return gallery

    def __len__(self) -> int:
        self._store.refresh()
        return self._store.count()

    def ids(self) -> list[str]:
        """Ids of all products, in no particular order."""
        self._store.refresh()
        return self._store.read([ID])[ID].to_pylist()

    def info(self) -> dict[str, Any]:
        """What the gallery is: place, version, number of products, spaces, metadata columns, model, kind of search."""
        return {
            "uri": self._store.uri,
            "version": self._store.refresh(),
            "products": self._store.count(),
            "spaces": dict(self.schema.spaces),
            "metadata": {field.name: str(field.type) for field in self.schema.metadata},
            "fingerprint": self.schema.fingerprint,
            "search": "exact, in memory" if self._is_small() else "by the store",
        }

    def check_model(self, model: PreTrainedModel) -> None:
        """Does nothing if this model embedded the gallery.

        Args:
            model (`PreTrainedModel`): the model that shall embed queries or more products.

        Raises:
            ValueError: another model did.
        """
        self._check_fingerprint(model_fingerprint(model))

    def add(
        self,
        ids: Sequence[str],
        vectors: Mapping[str, Tensor],
        metadata: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Adds products, or replaces those whose id is in the gallery already.

        Args:
            ids (`Sequence[str]`): N ids.
            vectors (`Mapping[str, torch.Tensor]`): for each space (N, d), floating point, of any length but 0.
            metadata (`Mapping[str, Sequence]`, *optional*): for each metadata column N values or `None`s.

        Raises:
            ValueError: an id comes twice, a space or column is missing or unknown, or a vector or value does not
                fit.
        """
        self._store.upsert(self.schema.rows(ids, vectors, metadata or {}))

    def delete(self, ids: Sequence[str]) -> int:
        """Removes products.

        Args:
            ids (`Sequence[str]`): those that are not in the gallery are passed over.

        Returns:
            `int`: how many products were removed.
        """
        return self._store.delete(ids)

    def compact(self) -> None:
        """Joins the small files that many commits have left, which makes searches by the store faster."""
        self._store.compact()

    def vectors(self, ids: Sequence[str], space: str) -> Tensor:
        """Vectors of products, as re-rankers need them.

        Args:
            ids (`Sequence[str]`): N ids; one may come several times.
            space (`str`): of which space.

        Returns:
            `torch.Tensor` of shape `(N, d)`: L2-normalised, float32.

        Raises:
            ValueError: the gallery has no such space, or no product of such an id.
        """
        version = self._store.refresh()
        products = self._exact(space, version) if self._is_small() else self._read_exact(space, sorted(set(ids)))
        return products.vectors_of(ids)

    def search(self, vectors: Tensor, space: str, top_k: int, filter: str | None = None) -> RetrievalResults:
        """The products nearest to each query by cosine; of equal ones, those whose ids come first.

        Up to `EXACT_SEARCH_LIMIT` products the search is exact, above it is the store's; scores are exact cosines to
        the stored vectors in both cases, rounded to six decimals.

        Args:
            vectors (`torch.Tensor` of shape `(Q, d)`): embeddings of queries, of any length but 0, on any device.
            space (`str`): the space they are in.
            top_k (`int`): products for a query; there are fewer where fewer are in the gallery or meet the filter.
            filter (`str`, *optional*): SQL condition that products must meet to be found.

        Raises:
            ValueError: the gallery has no such space, a query does not fit it, `top_k` is below 1, or `filter` is no
                condition on this gallery.
        """
        column = self.schema.column(space)
        dimension = self.schema.spaces[space]
        if vectors.ndim != 2 or vectors.shape[1] != dimension:
            raise ValueError(f"`vectors` must have shape (Q, {dimension}) for {space!r}, got {tuple(vectors.shape)}")
        if top_k < 1:
            raise ValueError(f"`top_k` must be at least 1, got {top_k}")
        queries = directions(vectors, "vectors")
        version = self._store.refresh()
        if self._is_small():
            allowed_ids = None if filter is None else self._store.read([ID], filter)[ID]
            found, query, scores = self._exact(space, version).search(queries, top_k, allowed_ids)
        else:
            columns = [ID, *self.schema.metadata.names, column]
            found = self._store.nearest(queries.numpy(), column, top_k, columns, filter)
            query = torch.tensor(found["query_index"].to_numpy())
            scores = rounded((queries[query] * self._vectors_of(found, space)).sum(-1))
        return self._results(found, query, scores, len(queries))

    def _check_fingerprint(self, fingerprint: str) -> None:
        if fingerprint != self.schema.fingerprint:
            raise ValueError(
                f"the gallery at {self._store.uri} was embedded by {self.schema.fingerprint}, `model` is "
                f"{fingerprint}: their vectors cannot be compared. Load the gallery's model, in the float type that "
                "embedded it, or embed the catalogue again into another folder"
            )

    def _results(self, found: pa.Table, query: Tensor, scores: Tensor, number: int) -> RetrievalResults:
        """Products, each found for one of `number` queries, as ranked lists."""
        keys = pa.table([query.numpy(), scores.numpy(), found[ID]], names=["query", "score", ID])
        by_rank = pc.sort_indices(keys, [("query", "ascending"), ("score", "descending"), (ID, "ascending")])
        found, scores = found.take(by_rank), scores[torch.tensor(by_rank.to_numpy(), dtype=torch.long)]
        lengths = query.bincount(minlength=number)
        places = torch.arange(max(lengths.tolist(), default=0))
        padded = torch.full((number, len(places)), -math.inf).masked_scatter(places < lengths[:, None], scores)
        ends = lengths.cumsum(0).tolist()
        columns = self.schema.metadata.names
        return RetrievalResults(
            ids=_lists(found[ID].to_pylist(), ends),
            scores=padded,
            metadata=_lists(found.select(columns).to_pylist(), ends) if columns else None,
        )

    def _is_small(self) -> bool:
        return self._store.count() <= EXACT_SEARCH_LIMIT

    def _exact(self, space: str, version: int) -> ExactSearch:
        """The space in memory, read again where the table has another version now."""
        if space not in self._in_memory or self._in_memory[space][0] != version:
            self._in_memory[space] = (version, self._read_exact(space))
        return self._in_memory[space][1]

    def _read_exact(self, space: str, ids: Sequence[str] | None = None) -> ExactSearch:
        column = self.schema.column(space)
        table = self._store.read([ID, *self.schema.metadata.names, column], ids=ids)
        return ExactSearch(table.drop_columns(column), self._vectors_of(table, space))

    def _vectors_of(self, table: pa.Table, space: str) -> Tensor:
        try:
            return vectors_of(table[self.schema.column(space)])
        except ValueError as error:
            raise damage(self._store.uri, f"{error} (space {space!r})") from error


def _lists(values: list[Any], ends: Sequence[int]) -> list[list[Any]]:
    return [values[start:end] for start, end in pairwise([0, *ends])]
