"""A catalogue's embeddings, kept on disk and searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset
from huggingface_hub import CommitInfo
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..embedding.encoder import Encoder
from ..embedding.fingerprint import model_fingerprint
from .ingestion.catalogue import Catalogue
from .ingestion.embed_catalogue import embed_catalogue
from .ingestion.learn_axes import learn_axes
from .ingestion.processes import Processes
from .projection import axes_as_attachments, read_spaces
from .repository.hub import find_saved_gallery, push_gallery
from .repository.load import SavedGallery
from .repository.save import save_gallery
from .results import RetrievalResults
from .schema import ID, GallerySchema, require_ids
from .search import EXACT_SEARCH_LIMIT, GallerySearch
from .stores.base import VectorStore
from .stores.filters import read_condition
from .stores.opening import create_store, open_store
from .vector_column import Space, directions


class Gallery:
    """Products with metadata and one vector for each *space*: `"image"` for E2 and CLIP, one space for each attribute
    of an attribute-specific model.

    Vectors are stored L2-normalised in float16, whole or, for galleries made with `dimensions`, along the few axes
    that they lie closest to: an eighth of the dimensions is a sixteenth of the bytes in float32. Every change is one
    commit, on disk when the call returns: a killed process leaves the gallery as it was before or after. One process
    at a time may change a gallery, while any number of others read it; they see a change with their next call. That is
    LanceDB's; a gallery at a URI of Milvus promises what [`~milvus_store.MilvusStore`] says.

    Filters are conditions of SQL on the metadata columns and `id`: `"brand = 'Lumaro' AND price < 50"`,
    ``"`sub-category` IN ('coat', 'jacket')"``, `"season IS NOT NULL"`, `"array_has(colours, 'red')"`.

    Use [`Gallery.create`], [`Gallery.open`], [`Gallery.from_dataset`] or [`Gallery.from_pretrained`].
    """

    def __init__(self, store: VectorStore):
        self.schema = GallerySchema.from_table(store.schema)
        self._store = store
        self._spaces = read_spaces(self.schema, store.attachments(), store.uri)
        self._search = GallerySearch(store, self.schema.metadata.names)

    @classmethod
    def create(
        cls,
        uri: str | Path,
        spaces: Mapping[str, int],
        metadata_schema: pa.Schema | None = None,
        fingerprint: str = "",
        axes: Mapping[str, Tensor] | None = None,
    ) -> Gallery:
        """Makes an empty gallery.

        Args:
            uri (`str` or `Path`): a folder, a URI of object storage such as `s3://bucket/gallery`, or one of Milvus
                such as `milvus+http://host:19530/collection`.
            spaces (`Mapping[str, int]`): dimension of each space.
            metadata_schema (`pyarrow.Schema`, *optional*): names and types of the metadata columns.
            fingerprint (`str`, *optional*): [`~fingerprint.model_fingerprint`] of the model whose vectors will be
                added.
            axes (`Mapping[str, torch.Tensor]`, *optional*): for each space whose vectors shall be kept along fewer
                axes, those axes, (d, r), orthonormal: [`~principal_axes.principal_axes`] of some of its vectors.

        Raises:
            FileExistsError: there is a gallery already.
            ValueError: there is no space, axes are not as above, or a metadata column has a name that filters cannot
                use, or a type that the database cannot keep.
            ImportError: the database is not installed.
        """
        metadata_schema = pa.schema([]) if metadata_schema is None else metadata_schema
        numbers = {space: matrix.shape[-1] for space, matrix in (axes or {}).items()}
        schema = GallerySchema(dict(spaces), metadata_schema, fingerprint, numbers)
        return cls(create_store(str(uri), schema.to_table(), axes_as_attachments(schema, axes or {})))

    @classmethod
    def open(cls, uri: str | Path) -> Gallery:
        """Opens a gallery.

        Args:
            uri (`str` or `Path`): what [`Gallery.create`] was given.

        Raises:
            FileNotFoundError: there is none.
            OSError: files of it are missing, cut off or unreadable, or its server cannot be reached.
            ValueError: the table there is no gallery, or of a newer version.
            ImportError: the database is not installed.
        """
        return cls(open_store(str(uri)))

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
        dimensions: int | None = None,
    ) -> Gallery:
        """Embeds the photos of a catalogue; goes on with what is missing where the gallery exists already.

        Every batch is one commit. A run that was killed, whenever it was, is started again with the same arguments and
        ends with the gallery of an undisturbed run. Products are known by their ids alone: to embed changed photos,
        [`~Gallery.delete`] these products first.

        Where `accelerate launch` or torchrun has started several processes, all of them call this with the same
        arguments, each with the model on its own device and `uri` a place that all of them see. They share the batches
        among themselves; the main process alone creates and writes. The gallery is that of one process, and a run may
        go on with another number of them.

        Args:
            dataset (`datasets.Dataset`): one product a row.
            model (`PreTrainedModel`): E2, CLIP, ASEN, ASEN++ or IPAD, on any device.
            processor (`ProcessorMixin` or `BaseImageProcessor`): the model's.
            uri (`str` or `Path`): a folder, or a URI of object storage or Milvus.
            id_column (`str`): column of ids, which are strings or integers.
            image_column (`str`, *optional*, defaults to `"image"`): column of photos; of a list of them the first
                counts.
            metadata_columns (`Sequence[str]`, *optional*): what filters and results shall know: columns of strings,
                class labels, numbers, booleans, dates, or lists of those.
            batch_size (`int`, *optional*, defaults to 64): photos a forward pass and a commit.
            progress (`bool`, *optional*, defaults to `True`): whether to show a bar.
            dimensions (`int`, *optional*): keep so many numbers of each vector, its shares along the principal axes of
                up to 5,000 photos, which are embedded first. An eighth of the model's costs a few thousandths of MAP
                (benchmarks/README.md). Default: whole vectors.

        Raises:
            ValueError: before anything is embedded: a column is missing or of a wrong type, an id or photo is
                null, an id comes twice, `dimensions` is more than the model's or the number of photos, the gallery
                there is of another model or has other spaces, dimensions or metadata columns. In the middle: a photo
                cannot be read; the error names the row, and what was embedded before is kept.
            OSError: the gallery there is damaged or cannot be reached.
            ConnectionError: another process has ended. An error of one that lives on is raised by all.
            ImportError: the database is not installed.
        """
        processes = Processes()
        with processes.main_first():
            catalogue = Catalogue(dataset, id_column, image_column, metadata_columns)
            encoder = Encoder(model, processor)
            kept = {} if dimensions is None else dict.fromkeys(encoder.spaces, dimensions)
            schema = GallerySchema(encoder.spaces, catalogue.metadata_schema, model_fingerprint(model), kept)
            try:
                gallery = cls.open(uri)
            except FileNotFoundError as error:
                if not processes.is_main:
                    raise FileNotFoundError(f"{error}; all processes must see the same `uri`") from error
                axes = learn_axes(encoder, catalogue, dimensions, batch_size, progress) if dimensions else None
                gallery = cls.create(uri, schema.spaces, schema.metadata, schema.fingerprint, axes)
            gallery._check_fingerprint(schema.fingerprint)
            gallery.schema.require_same_columns(schema, str(uri))
        embed_catalogue(gallery, encoder, catalogue, batch_size, progress, processes)
        return gallery

    @classmethod
    def from_pretrained(
        cls, source: str | Path, uri: str | Path, revision: str | None = None, token: str | None = None
    ) -> Gallery:
        """Copies a saved gallery into one at `uri`; goes on with what is missing where that exists already.

        Vectors and metadata come as they were saved, to the last bit, 10,000 products a commit. A call that was killed
        is made again. Products are known by their ids alone: to load changed ones, [`~Gallery.delete`] them first.

        Args:
            source (`str` or `Path`): a folder that [`~Gallery.save_pretrained`] wrote, or the id of a dataset on the
                Hub that [`~Gallery.push_to_hub`] pushed.
            uri (`str` or `Path`): as for [`Gallery.create`].
            revision (`str`, *optional*): branch, tag or commit on the Hub.
            token (`str`, *optional*): of the Hub. Default: the one that was logged in with.

        Raises:
            FileNotFoundError: there is no such gallery, or a file of it is missing.
            OSError: a file of it is damaged, the gallery at `uri` is, or the Hub cannot be reached.
            ValueError: a newer version of hf_fashion wrote it, or the gallery at `uri` is of another model or has
                other spaces or metadata columns. In all these cases nothing is written.
            ImportError: the database is not installed.
        """
        saved = SavedGallery(find_saved_gallery(source, revision, token))
        try:
            gallery = cls.open(uri)
        except FileNotFoundError:
            gallery = cls(create_store(str(uri), saved.table(), saved.attachments))
        saved.copy_to(gallery._store)
        return gallery

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the gallery into a new folder as a repository of `datasets`: parquet files, `gallery.json`, a card.

        [`Gallery.from_pretrained`] makes a gallery of it again, in any place; `datasets.load_dataset` reads its
        columns. An index is not saved.

        Args:
            folder (`str` or `Path`): must not exist. It appears when all of it is written.

        Raises:
            FileExistsError: there is something at `folder`.
            ValueError: a metadata column is of a type that `datasets` does not know.
            RuntimeError: the gallery was changed meanwhile.
        """
        folder = Path(folder).expanduser()
        save_gallery(self._store, folder, folder.name)

    def push_to_hub(
        self,
        repo_id: str,
        private: bool | None = None,
        token: str | None = None,
        commit_message: str = "Upload gallery",
        revision: str | None = None,
    ) -> CommitInfo:
        """Pushes what [`~Gallery.save_pretrained`] writes to the Hub, as one commit.

        It takes the place of a gallery that was pushed there before. What people have added to the card stays: fields,
        and text around the gallery's own part. The files are written to the system's temporary folder first.

        Args:
            repo_id (`str`): id of a dataset on the Hub, made where it is missing.
            private (`bool`, *optional*): whether a dataset that is made is private. Default: what the organisation
                has chosen, else public.
            token (`str`, *optional*): of the Hub. Default: the one that was logged in with.
            commit_message (`str`, *optional*, defaults to `"Upload gallery"`): first line of the commit.
            revision (`str`, *optional*): a branch, made where it is missing. Default: `main`.

        Returns:
            `huggingface_hub.CommitInfo`: of the commit.

        Raises:
            ValueError: there is a dataset that is no gallery, or a metadata column is of a type that `datasets` does
                not know.
            RuntimeError: the gallery was changed meanwhile.
        """
        return push_gallery(self._store, repo_id, private, token, commit_message, revision)

    @property
    def max_top_k(self) -> int | None:
        """Products that one search gives at most; `None` if there is no limit."""
        return self._store.max_top_k

    def __len__(self) -> int:
        self._store.refresh()
        return self._store.count()

    def ids(self) -> list[str]:
        """Ids of all products, in no particular order."""
        self._store.refresh()
        return self._store.read([ID])[ID].to_pylist()

    def info(self) -> dict[str, Any]:
        """What the gallery is: place, version, number of products, spaces, how many numbers of each vector are kept,
        metadata columns, model, kind of search, and for each indexed space the kind of its index and how many products
        are in it."""
        version = self._store.refresh()
        indexes = self._store.indexes()
        return {
            "uri": self._store.uri,
            "version": version,
            "products": self._store.count(),
            "spaces": dict(self.schema.spaces),
            "stored_dimensions": self.schema.stored_dimensions(),
            "metadata": {field.name: str(field.type) for field in self.schema.metadata},
            "fingerprint": self.schema.fingerprint,
            "search": "exact, in memory" if self._search.in_memory() else "by the store",
            "index": {
                space: dict(zip(("kind", "products"), indexes[column], strict=True))
                for space in self.schema.spaces
                if (column := self.schema.column(space)) in indexes
            },
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
        self._store.upsert(self.schema.rows(ids, vectors, metadata or {}, self._spaces))

    def delete(self, ids: Sequence[str]) -> int:
        """Removes products.

        Args:
            ids (`Sequence[str]`): those that are not in the gallery are passed over.

        Returns:
            `int`: how many products were removed.

        Raises:
            ValueError: `ids` is no list of strings.
        """
        require_ids(ids)
        return self._store.delete(ids)

    def build_index(self, kind: str = "IVF_RQ") -> None:
        """Indexes every space, so that a gallery of more than `EXACT_SEARCH_LIMIT` products is not searched product by
        product, and `id` and the metadata columns for filters.

        Products that are added or replaced later are found at once; the index takes them in by itself, some thousands
        at a time. Build it anew when the gallery has doubled. Each space is a commit of its own: after a kill, call it
        again.

        Args:
            kind (`str`, *optional*, defaults to `"IVF_RQ"`): `"IVF_RQ"` adds one bit a dimension to the vectors on
                disk; `"IVF_HNSW_SQ"` eight and a graph. In Milvus: `"IVF_RABITQ"`, which `"IVF_RQ"` means too,
                `"IVF_SQ8"` or `"HNSW"`.

        Raises:
            ValueError: there is no such kind, so few products that they are searched in memory, or a space of which a
                number of dimensions is kept that 8 does not divide, which `"IVF_RQ"` cannot hold.
        """
        if self._search.in_memory():
            raise ValueError(
                f"an index serves galleries of more than {EXACT_SEARCH_LIMIT:,} products, this one has "
                f"{self._store.count():,} and is searched exactly, in memory. Search it as it is"
            )
        self._store.build_index([self.schema.column(space) for space in self.schema.spaces], kind)

    def compact(self) -> None:
        """Joins the small files that many commits have left, and brings all products into the index: searches by the
        store become faster."""
        self._store.compact()

    def vectors(self, ids: Sequence[str], space: str) -> Tensor:
        """Vectors of products, as re-rankers need them.

        Args:
            ids (`Sequence[str]`): N ids; one may come several times.
            space (`str`): of which space.

        Returns:
            `torch.Tensor` of shape `(N, d)`: L2-normalised, float32; of vectors kept along fewer axes what is left.

        Raises:
            ValueError: the gallery has no such space or no product of such an id, or `ids` is no list of strings.
        """
        require_ids(ids)
        return self._search.vectors(ids, self._space(space))

    def search(
        self, vectors: Tensor, space: str, top_k: int, filter: str | Mapping[str, Any] | None = None
    ) -> RetrievalResults:
        """The products nearest to each query by cosine; of equal ones, those whose ids come first.

        Up to `EXACT_SEARCH_LIMIT` products the search is exact, above it is the store's; scores are exact cosines to
        the stored vectors in both cases, rounded to six decimals.

        Args:
            vectors (`torch.Tensor` of shape `(Q, d)`): embeddings of queries, of any length but 0, on any device.
            space (`str`): the space they are in.
            top_k (`int`): products for a query; there are fewer where fewer are in the gallery or meet the filter.
            filter (`str` or `Mapping`, *optional*): what products must meet to be found, as SQL or as a dict.

        Raises:
            ValueError: the gallery has no such space, a query does not fit it, `top_k` is below 1, or `filter` is no
                condition on this gallery.
        """
        dimension = self._space(space).dimension
        if vectors.ndim != 2 or vectors.shape[1] != dimension:
            raise ValueError(f"`vectors` must have shape (Q, {dimension}) for {space!r}, got {tuple(vectors.shape)}")
        condition = read_condition(filter, self.schema.filter_columns())
        if top_k < 1:
            raise ValueError(f"`top_k` must be at least 1, got {top_k}")
        return self._search.nearest(directions(vectors, "vectors"), self._space(space), top_k, condition)

    def _space(self, name: str) -> Space:
        self.schema.column(name)  # raises where there is no such space
        return self._spaces[name]

    def _check_fingerprint(self, fingerprint: str) -> None:
        if fingerprint != self.schema.fingerprint:
            raise ValueError(
                f"the gallery at {self._store.uri} was embedded by {self.schema.fingerprint}, `model` is "
                f"{fingerprint}: their vectors cannot be compared. Load the gallery's model, in the float type that "
                "embedded it, or embed the catalogue again into another folder"
            )
