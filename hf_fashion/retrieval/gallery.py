"""Gallery: vectors of a catalogue, stored and searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset
from huggingface_hub import CommitInfo
from torch import Tensor
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from ..embedding.capabilities import region_spaces
from ..embedding.encoder import Encoder
from ..embedding.features import require_batch_size
from ..embedding.fingerprint import check_fingerprint, embedder_fingerprint
from .ingestion.add_spaces import check_products, copy_with_spaces, extended_schema, new_spaces_hint, split_model
from .ingestion.catalogue import Catalogue
from .ingestion.column_types import require_known_types
from .ingestion.embed_catalogue import embed_catalogue
from .ingestion.learn_axes import learn_axes
from .ingestion.processes import Processes
from .ingestion.sync import SyncReport, sync_catalogue
from .projection import directions
from .repository.cache import cached_gallery
from .repository.hub import find_saved_gallery, push_gallery
from .repository.load import SavedGallery
from .repository.save import save_gallery
from .results import RetrievalResults
from .schema import ID, PHOTO_HASH, GallerySchema, require_ids
from .search import EXACT_SEARCH_LIMIT, GallerySearch
from .stored_axes import axes_as_attachments, read_spaces
from .stores.base import VectorStore
from .stores.conditions.read import read_condition
from .stores.opening import create_store, open_store, repair_store, require_database
from .vector_column import Space


class Gallery:
    """Products with metadata and one vector for each *space*: `"image"` for E2 and CLIP, one space for each attribute
    of an attribute-specific model, and if asked for one for each tag entity of E2, with the embeddings of its regions.

    Vectors are stored L2-normalised in float16: whole or, for galleries made with `dimensions`, along the few axes
    that they lie closest to. An eighth of the dimensions takes a sixteenth of the bytes in float32.

    By its URI, a gallery is in a folder, in object storage or on a server. In a folder, every change is one commit: a
    killed process leaves the gallery as it was before or after. The operating system writes what was committed to the
    disk in its own time. Processes and threads that change a gallery wait for each other, and any number of others
    read it meanwhile; they see a change with their next call. Where other URIs differ is in `docs/scale.md`.

    Filters are conditions on the metadata columns and `id`, as a dict, `{"brand": ["Acme", "Lumaro"], "price": {"<":
    50}}`, or as SQL: `"brand = 'Lumaro' AND price < 50"`,
    ``"`sub-category` IN ('coat', 'jacket')"``, `"season IS NOT NULL"`, `"array_has(colours, 'red')"`.

    Use [`Gallery.create`], [`Gallery.open`], [`Gallery.from_dataset`] or [`Gallery.from_pretrained`].
    """

    def __init__(self, store: VectorStore):
        if isinstance(store, (str, Path)):
            raise TypeError(
                f"`Gallery.open({str(store)!r})` opens a gallery, `Gallery.from_dataset` makes one of photos"
            )
        self.schema = GallerySchema.from_table(store.schema)
        self._store = store
        self._spaces = read_spaces(self.schema, store.attachments(), store.uri)
        self._search = GallerySearch(store, self.schema.metadata.names)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the URI: the gallery is opened again there, by the worker of a data loader for instance."""
        return type(self).open, (self._store.uri,)

    @classmethod
    def create(
        cls,
        uri: str | Path,
        spaces: Mapping[str, int],
        metadata_schema: pa.Schema | None = None,
        fingerprint: str = "",
        axes: Mapping[str, Tensor] | None = None,
    ) -> Gallery:
        """Create an empty gallery.

        Args:
            uri (`str` or `Path`): a folder, a URI of object storage such as `s3://bucket/gallery`, or a URI of a
                server.
            spaces (`Mapping[str, int]`): dimension of each space.
            metadata_schema (`pyarrow.Schema`, *optional*): names and types of the metadata columns.
            fingerprint (`str`, *optional*): [`~fingerprint.embedder_fingerprint`] of the model that embeds the
                products, and of its processor.
            axes (`Mapping[str, torch.Tensor]`, *optional*): axes of each space whose vectors are stored along fewer
                axes, (d, r), orthonormal: [`~projection.principal_axes`] of some of its vectors.

        Raises:
            FileExistsError: there is a gallery already.
            ValueError: there is no space, axes are not as above, or a metadata column has a name that filters cannot
                use or a type that the store cannot keep.
            ImportError: the store's database is not installed.
        """
        metadata_schema = pa.schema([]) if metadata_schema is None else metadata_schema
        numbers = {space: matrix.shape[-1] for space, matrix in (axes or {}).items()}
        schema = GallerySchema(dict(spaces), metadata_schema, fingerprint, numbers)
        return cls(create_store(str(uri), schema.to_table(), axes_as_attachments(schema, axes or {})))

    @classmethod
    def open(cls, uri: str | Path) -> Gallery:
        """Open a gallery.

        Args:
            uri (`str` or `Path`): the URI that [`Gallery.create`] was given.

        Raises:
            FileNotFoundError: there is no gallery.
            OSError: files of the gallery are missing, cut off or unreadable, or its server cannot be reached.
            ValueError: the table is not a gallery, or a newer version of hf_fashion wrote it.
            ImportError: the store's database is not installed.
        """
        return cls(open_store(str(uri)))

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor,
        *,
        uri: str | Path,
        id_column: str,
        image_column: str = "image",
        metadata_columns: Sequence[str] = (),
        batch_size: int = 64,
        progress: bool = True,
        dimensions: int | None = None,
        regions: bool = False,
    ) -> Gallery:
        """Embed the photos of a catalogue into a gallery; embed only what is missing where the gallery exists already.

        Every batch is one commit. A run that was killed is started again with the same arguments, and ends with the
        gallery of a run that was not killed. Products that are in the gallery stay as they are; where they differ from
        the catalogue a warning says so, and [`~Gallery.sync`] makes the gallery follow it.

        Where `accelerate launch` or torchrun has started several processes, all of them call this with the same
        arguments, each with the model on its own device and `uri` a place that all of them see. They share the
        batches; only the main process creates the gallery and writes. The gallery is the same as that of one process,
        and a run may be continued by another number of processes.

        Args:
            dataset (`datasets.Dataset`): one product a row.
            model (`PreTrainedModel`): E2, CLIP, ASEN, ASEN++ or IPAD, on any device.
            processor (`ProcessorMixin` or `BaseImageProcessor`): the model's processor.
            uri (`str` or `Path`): as for [`Gallery.create`].
            id_column (`str`): column of ids, which are strings or integers.
            image_column (`str`, *optional*, defaults to `"image"`): column of photos; of a list of photos the first
                is embedded.
            metadata_columns (`Sequence[str]`, *optional*): columns for filters and results: strings, class labels,
                numbers, booleans, dates, or lists of those.
            batch_size (`int`, *optional*, defaults to 64): photos in a forward pass and in a commit.
            progress (`bool`, *optional*, defaults to `True`): whether to show a progress bar.
            dimensions (`int`, *optional*): numbers to store of each vector: its coordinates along the principal axes
                of up to 5,000 photos, which are embedded first. An eighth of the model's dimensions costs a few
                thousandths of MAP (benchmarks/galleries.md). Default: whole vectors.
            regions (`bool`, *optional*, defaults to `False`): whether to keep, next to the embedding of the whole
                photo, E2's embedding of the region of each tag entity, in a space with the entity's name. They cost
                hardly any time and as many bytes each as that of the photo.

        Raises:
            ValueError: before anything is embedded: a column is missing or has a wrong type, an id or photo is null,
                an id comes twice, all cells of a metadata column are empty, `dimensions` is more than the model's or
                than the number of photos, the model has no `regions`, `batch_size` is below 1, the gallery is of
                another model or has other spaces, dimensions or metadata columns, or a value does not fit its column
                or the store.
                Later: a photo cannot be read; the error names the row, and the batches before it are kept.
            OSError: the gallery is damaged or cannot be reached.
            ConnectionError: another process has ended. An error of one process is raised by all.
            ImportError: the store's database is not installed.
        """
        require_batch_size(batch_size)
        require_database(str(uri))
        processes = Processes()
        with processes.main_first():
            catalogue = Catalogue(dataset, id_column, image_column, metadata_columns)
            encoder = Encoder(model, processor, regions=regions)
            kept = {} if dimensions is None else dict.fromkeys(encoder.spaces, dimensions)
            fingerprint = embedder_fingerprint(model, processor)
            schema = GallerySchema(encoder.spaces, catalogue.metadata_schema, fingerprint, kept)
            try:
                gallery = cls.open(uri)
            except FileNotFoundError as error:
                if not processes.is_main:
                    raise FileNotFoundError(f"{error}; all processes must see the same `uri`") from error
                require_known_types(schema.metadata)
                axes = learn_axes(encoder, catalogue, dimensions, batch_size, progress) if dimensions else None
                try:
                    gallery = cls.create(uri, schema.spaces, schema.metadata, schema.fingerprint, axes)
                except FileExistsError:  # by another run meanwhile: this one goes on along its axes
                    gallery = cls.open(uri)
            catalogue.adopt(gallery.schema.metadata)
            hint = new_spaces_hint(model, list(gallery.schema.spaces))
            check_fingerprint(gallery.schema.fingerprint, fingerprint, gallery._store.uri, hint)
            gallery.schema.require_same_columns(replace(schema, metadata=catalogue.metadata_schema), str(uri))
        embed_catalogue(gallery, encoder, catalogue, batch_size, progress, processes)
        return gallery

    def sync(
        self,
        dataset: Dataset,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor,
        *,
        id_column: str,
        image_column: str = "image",
        batch_size: int = 64,
        progress: bool = True,
        delete_missing: bool = False,
        dry_run: bool = False,
    ) -> SyncReport:
        """Make the gallery follow its catalogue: embed new products and those whose photo is another one, update the
        metadata of the others, and delete, if asked for, those that the catalogue no longer has.

        Photos are compared by a hash of their bytes. Spaces and metadata columns are the gallery's own. A call that
        was killed is made again. Several processes share the work as in [`~Gallery.from_dataset`].

        Args:
            dataset (`datasets.Dataset`): all products of the catalogue, one a row.
            model (`PreTrainedModel`): the model that embedded the gallery, on any device.
            processor (`ProcessorMixin` or `BaseImageProcessor`): the model's processor.
            id_column (`str`): column of ids, which are strings or integers.
            image_column (`str`, *optional*, defaults to `"image"`): column of photos.
            batch_size (`int`, *optional*, defaults to 64): photos in a forward pass and in a commit.
            progress (`bool`, *optional*, defaults to `True`): whether to show progress bars.
            delete_missing (`bool`, *optional*, defaults to `False`): whether to delete products that are not in
                `dataset`.
            dry_run (`bool`, *optional*, defaults to `False`): whether only to report what would be done.

        Returns:
            [`~ingestion.sync.SyncReport`]: ids of the products that were added, embedded again, updated, deleted and
            kept. `print` it for a sentence.

        Raises:
            ValueError: before anything is changed: a column is missing or a value has a wrong type, an id or photo is
                null, an id comes twice, another model embedded the gallery, an earlier version made it without hashes
                of photos, `batch_size` is below 1, or `delete_missing` would delete all of its products. Later: a
                photo cannot be read; the error names the row, and what was done before is kept.
            OSError: the gallery is damaged or cannot be reached.
            ConnectionError: another process has ended. An error of one process is raised by all.
        """
        require_batch_size(batch_size)
        processes = Processes()
        with processes.main_first():
            self.check_model(model, processor)
            if not self.schema.photo_hashes:
                raise ValueError(
                    f"the gallery at {self._store.uri} was made by an earlier version, which kept no hashes of "
                    "photos, so that changed ones cannot be found: embed the catalogue into another folder"
                )
            catalogue = Catalogue.for_gallery(dataset, id_column, image_column, self.schema.metadata)
            encoder = Encoder(model, processor, regions=bool(region_spaces(model, self.schema.spaces)))
        return sync_catalogue(self, encoder, catalogue, batch_size, progress, processes, delete_missing, dry_run)

    def add_spaces(
        self,
        dataset: Dataset,
        model: PreTrainedModel,
        processor: BaseImageProcessor,
        *,
        uri: str | Path,
        id_column: str,
        image_column: str = "image",
        batch_size: int = 64,
        progress: bool = True,
    ) -> Gallery:
        """Make a gallery with a space for each attribute that `model.add_attribute` has added to this one's model.

        The new gallery is written to another place: this one stays as it is, for the searches of its own model.
        Vectors and metadata of this one are copied as they are, to the last bit, and only the new spaces are embedded.
        Every batch is one commit: a call that was killed is made again, as long as this gallery still has all products
        of the new one. Products that only the catalogue has are left to [`~Gallery.sync`]; an index is built again by
        [`~Gallery.build_index`].

        Args:
            dataset (`datasets.Dataset`): all products of the gallery, one a row.
            model (`PreTrainedModel`): the gallery's model with the new attributes, on any device.
            processor (`BaseImageProcessor`): the model's processor.
            uri (`str` or `Path`): place of the new gallery, as for [`Gallery.create`].
            id_column (`str`): column of ids, which are strings or integers.
            image_column (`str`, *optional*, defaults to `"image"`): column of photos.
            batch_size (`int`, *optional*, defaults to 64): photos in a forward pass and in a commit.
            progress (`bool`, *optional*, defaults to `True`): whether to show progress bars.

        Returns:
            [`Gallery`]: the new one.

        Raises:
            ValueError: before anything is written: the model without its new attributes is not the one that embedded
                this gallery, it has no new ones, products are not in `dataset`, `batch_size` is below 1, or there is
                another gallery at `uri`. Later: a photo cannot be read, or is not the one that this gallery was
                embedded from.
            RuntimeError: this gallery was changed meanwhile, or several processes call this.
            OSError: a gallery is damaged or cannot be reached.
            ImportError: the store's database is not installed.
        """
        require_batch_size(batch_size)
        require_database(str(uri))
        if Processes().number > 1:
            raise RuntimeError("`add_spaces` runs in one process: start it without `accelerate launch`")
        earlier, added = split_model(model, list(self.schema.spaces), self._store.uri)
        self.check_model(earlier, processor)
        catalogue = Catalogue.for_gallery(dataset, id_column, image_column, self.schema.metadata)
        check_products(self.products(), catalogue, self._store.uri)
        encoder = Encoder(added, processor)
        schema = extended_schema(self.schema, encoder, embedder_fingerprint(model, processor))
        gallery = self._open_extended(uri, schema, encoder, catalogue, batch_size, progress)
        store, spaces = gallery._store, gallery._spaces
        copy_with_spaces(self._store, store, schema, spaces, encoder, catalogue, batch_size, progress)
        return gallery

    def _open_extended(
        self,
        uri: str | Path,
        schema: GallerySchema,
        encoder: Encoder,
        catalogue: Catalogue,
        batch_size: int,
        progress: bool,
    ) -> Gallery:
        """Open the gallery with more spaces, or create it."""
        own = self._store.attachments()
        try:
            gallery = Gallery.open(uri)
        except FileNotFoundError:
            axes = {}
            if schema.axes:
                kept = max(schema.axes.values())
                axes = axes_as_attachments(schema, learn_axes(encoder, catalogue, kept, batch_size, progress))
            return Gallery(create_store(str(uri), schema.to_table(), own | axes))
        if gallery.schema.to_table() != schema.to_table() or not own.items() <= gallery._store.attachments().items():
            raise ValueError(
                f"there is another gallery at {uri}, with the spaces {list(gallery.schema.spaces)}: choose another "
                "place"
            )
        check_fingerprint(gallery.schema.fingerprint, schema.fingerprint, gallery._store.uri)
        return gallery

    @classmethod
    def repair(cls, uri: str | Path) -> int:
        """Keep one row of each product, the one that was written last, in a gallery that [`Gallery.open`] refuses
        because it has products twice.

        Args:
            uri (`str` or `Path`): the URI that [`Gallery.create`] was given.

        Returns:
            `int`: number of rows that were removed.

        Raises:
            FileNotFoundError: there is no gallery.
            OSError: the gallery is damaged, or its server cannot be reached.
            ImportError: the store's database is not installed.
        """
        return repair_store(str(uri))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        uri: str | Path | None = None,
        revision: str | None = None,
        token: str | None = None,
    ) -> Gallery:
        """Load a saved gallery into a gallery at `uri`; load only what is missing where that exists already.

        Without a `uri`, the gallery is for search only: it is loaded once into the cache, into
        `$HF_HOME/hf_fashion/galleries`, and opened from there later, by any process. A new revision on the Hub is
        another gallery there; old ones may be deleted.

        Vectors and metadata are those that were saved, to the last bit, 10,000 products a commit. A call that was
        killed is made again. Products whose ids are in the gallery at `uri` stay as they are: where their metadata or
        the hashes of their photos differ, or the saved gallery does not have them, a warning says so. To load changed
        ones, [`~Gallery.delete`] them first.

        Args:
            source (`str` or `Path`): a folder that [`~Gallery.save_pretrained`] wrote, or the id of a dataset on the
                Hub that [`~Gallery.push_to_hub`] pushed.
            uri (`str` or `Path`, *optional*): as for [`Gallery.create`]. Default: a place in the cache.
            revision (`str`, *optional*): branch, tag or commit on the Hub.
            token (`str`, *optional*): token of the Hub. Default: the one that was logged in with.

        Raises:
            FileNotFoundError: there is no saved gallery, or one of its files is missing.
            OSError: a file is damaged, the gallery at `uri` is damaged, or the Hub cannot be reached.
            ValueError: a newer version of hf_fashion saved the gallery, or the gallery at `uri` is of another model or
                has other spaces or metadata columns. In all these cases nothing is written.
            ImportError: the store's database is not installed.
        """
        folder = find_saved_gallery(source, revision, token)
        if uri is None:
            return cls.open(cached_gallery(source, folder))
        saved = SavedGallery(folder)
        try:
            gallery = cls.open(uri)
        except FileNotFoundError:
            gallery = cls(create_store(str(uri), saved.table(), saved.attachments))
        saved.copy_to(gallery._store)
        return gallery

    def save_pretrained(self, folder: str | Path) -> None:
        """Save the gallery to a new folder as a repository of `datasets`: parquet files, `gallery.json`, a card.

        [`Gallery.from_pretrained`] loads it again, in any place; `datasets.load_dataset` reads its columns. An index
        is not saved.

        Args:
            folder (`str` or `Path`): a folder that does not exist. It appears when all of it is written.

        Raises:
            FileExistsError: `folder` exists.
            ValueError: a metadata column has a type that `datasets` does not know.
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
        """Push the gallery to the Hub, as [`~Gallery.save_pretrained`] saves it, in one commit.

        It replaces a gallery that was pushed there before. Text and fields that people have added to the card stay.
        The files are written to the system's temporary folder first.

        Args:
            repo_id (`str`): id of a dataset on the Hub. It is created where it is missing.
            private (`bool`, *optional*): whether a dataset that is created is private. Default: as the organisation
                has chosen, else public.
            token (`str`, *optional*): token of the Hub. Default: the one that was logged in with.
            commit_message (`str`, *optional*, defaults to `"Upload gallery"`): first line of the commit.
            revision (`str`, *optional*): a branch. It is created where it is missing. Default: `main`.

        Returns:
            `huggingface_hub.CommitInfo`: the commit.

        Raises:
            ValueError: the dataset on the Hub is not a gallery, is public and is to be private, or a metadata column
                has a type that `datasets` does not know.
            OSError: the Hub refuses the push or cannot be reached; the message says what to do.
            RuntimeError: the gallery was changed meanwhile.
        """
        return push_gallery(self._store, repo_id, private, token, commit_message, revision)

    @property
    def max_top_k(self) -> int | None:
        """The most candidates of a query that one search returns; `None` where there is no limit."""
        return None if self._search.in_memory() else self._store.max_top_k

    @property
    def version(self) -> int:
        """The version of the stored gallery, another one after each change."""
        return self._store.refresh()

    def __len__(self) -> int:
        self._store.refresh()
        return self._store.count()

    def ids(self) -> list[str]:
        """Return the ids of all products, in no particular order."""
        self._store.refresh()
        return self._store.read([ID])[ID].to_pylist()

    def products(self) -> pa.Table:
        """Return id, metadata and hash of the photo of all products, in no particular order."""
        self._store.refresh()
        hashes = [PHOTO_HASH] if self.schema.photo_hashes else []
        return self._store.read([ID, *self.schema.metadata.names, *hashes])

    def info(self) -> dict[str, Any]:
        """Return facts about the gallery: URI, version, number of products, spaces, stored dimensions, metadata
        columns, fingerprint of the model, kind of search, for each indexed space the kind of its index and the number
        of products in it, and the storage: `"bytes"` on this machine's disk, `"versions"` that are kept, and
        `"fragments"`, the parts that changes have left; of these only what the store knows, on a server nothing."""
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
            "storage": self._store.storage(),
        }

    def check_model(
        self,
        model: PreTrainedModel,
        processor: ProcessorMixin | BaseImageProcessor | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
    ) -> None:
        """Raise if another model, or the same one with other inputs, embedded the gallery.

        Args:
            model (`PreTrainedModel`): the model that embeds queries or more products.
            processor (`ProcessorMixin` or `BaseImageProcessor`, *optional*): the model's. Default: not compared.
            tokenizer (`PreTrainedTokenizerBase`, *optional*): the model's, where `processor` has none.

        Raises:
            ValueError: another model, image processor or tokenizer embedded the gallery.
        """
        found = embedder_fingerprint(model, processor, tokenizer)
        hint = new_spaces_hint(model, list(self.schema.spaces))
        check_fingerprint(self.schema.fingerprint, found, self._store.uri, hint)

    def check_rows(self, rows: pa.Table) -> None:
        """Raise if the gallery's store cannot keep ids and metadata of products that are to be added.

        Args:
            rows (`pyarrow.Table`): `id` and the metadata columns, as `schema.changes` returns them.

        Raises:
            ValueError: a value is beyond a limit of the store, such as the length of its texts; the error names the
                row.
        """
        self._store.check_rows(rows)

    def add(
        self,
        ids: Sequence[str],
        vectors: Mapping[str, Tensor],
        metadata: Mapping[str, Sequence[Any]] | None = None,
        photo_hashes: Sequence[str | None] | None = None,
    ) -> None:
        """Add products, or replace those whose id is in the gallery already.

        Args:
            ids (`Sequence[str]`): N ids.
            vectors (`Mapping[str, torch.Tensor]`): vectors of each space, (N, d), floating point, of any length but 0.
            metadata (`Mapping[str, Sequence]`, *optional*): N values of each metadata column; `None` where a product
                has no value.
            photo_hashes (`Sequence[str]`, *optional*): N hashes of the photos, by which [`~Gallery.sync`] finds those
                that have changed. Products without one are embedded again by it.

        Raises:
            ValueError: an id comes twice, a space or column is missing or unknown, or a vector or value does not
                fit.
        """
        self._store.upsert(self.schema.rows(ids, vectors, metadata or {}, self._spaces, photo_hashes))

    def update(self, ids: Sequence[str], metadata: Mapping[str, Sequence[Any]]) -> None:
        """Replace the metadata of products, such as their prices. Nothing is embedded.

        Args:
            ids (`Sequence[str]`): N ids of products in the gallery.
            metadata (`Mapping[str, Sequence]`): N values of each metadata column; `None` where a product has no value.

        Raises:
            ValueError: an id comes twice or is not in the gallery, a column is missing or unknown, or a value is not
                of its column's type. Nothing is changed.
        """
        rows = self.schema.changes(ids, metadata)
        self._store.refresh()
        missing = set(ids) - set(self._store.read([ID], ids=ids)[ID].to_pylist())
        if missing:
            raise ValueError(f"`ids`: {min(missing)!r} is not in the gallery, and {len(missing) - 1} more; `add` them")
        self._store.update(rows)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete products.

        Args:
            ids (`Sequence[str]`): ids of products; those that are not in the gallery are ignored.

        Returns:
            `int`: number of products that were deleted.

        Raises:
            ValueError: `ids` is not a list of strings.
        """
        require_ids(ids)
        return self._store.delete(ids)

    def build_index(self, kind: str = "IVF_RQ") -> None:
        """Index every space, for faster search of more than `EXACT_SEARCH_LIMIT` products, and `id` and the metadata
        columns, for filters.

        Products that are added or replaced later are found at once; the index takes them in by itself, some thousands
        at a time. Build it again when the gallery has doubled. Each space is a commit of its own: after a kill, call
        it again.

        Args:
            kind (`str`, *optional*, defaults to `"IVF_RQ"`): kind of index. `"IVF_RQ"`, which adds one bit for each
                dimension to the vectors on disk, is known by all stores; `docs/scale.md` names the others.

        Raises:
            ValueError: there is no such kind; the gallery is so small that it is searched in memory; or a space has a
                number of stored dimensions that is not a multiple of 8, which `"IVF_RQ"` needs.
        """
        if self._search.in_memory():
            raise ValueError(
                f"an index serves galleries of more than {EXACT_SEARCH_LIMIT:,} products, this one has "
                f"{self._store.count():,} and is searched exactly, in memory. Search it as it is"
            )
        self._store.build_index([self.schema.column(space) for space in self.schema.spaces], kind)

    def compact(self) -> None:
        """Join the small files of many commits and bring all products into the index, for faster search by the
        store."""
        self._store.compact()

    def vectors(self, ids: Sequence[str], space: str) -> Tensor:
        """Return vectors of products, as re-rankers need them.

        Args:
            ids (`Sequence[str]`): N ids; one may come several times.
            space (`str`): the space of the vectors.

        Returns:
            `torch.Tensor` of shape `(N, d)`: L2-normalised, float32; vectors that are stored along fewer axes are
            restored from those.

        Raises:
            ValueError: the gallery does not have the space or a product, or `ids` is not a list of strings.
        """
        require_ids(ids)
        return self._search.vectors(ids, self._space(space))

    def search(
        self,
        vectors: Tensor,
        space: str,
        top_k: int,
        filter: str | Mapping[str, Any] | None = None,
        with_vectors: bool = False,
    ) -> RetrievalResults:
        """Search for the products nearest to each query by cosine; of equal ones, those whose ids come first.

        Up to `EXACT_SEARCH_LIMIT` products the search is exact; above, the store searches, approximately. In both
        cases scores are exact cosines to the stored vectors, rounded to six decimals.

        Args:
            vectors (`torch.Tensor` of shape `(Q, d)`): embeddings of queries, of any length but 0, on any device.
            space (`str`): the space of the queries.
            top_k (`int`): candidates of a query; there are fewer where fewer are in the gallery or meet the filter.
            filter (`str` or `Mapping`, *optional*): condition that candidates must meet, as SQL or as a dict.
            with_vectors (`bool`, *optional*, defaults to `False`): whether results keep the candidates' vectors, as
                re-rankers need them.

        Raises:
            ValueError: the gallery does not have the space, a query does not fit it, `top_k` is below 1, or `filter`
                is not a condition on this gallery.
        """
        dimension = self._space(space).dimension
        if vectors.ndim != 2 or vectors.shape[1] != dimension:
            raise ValueError(f"`vectors` must have shape (Q, {dimension}) for {space!r}, got {tuple(vectors.shape)}")
        condition = None if filter is None else read_condition(filter, self.schema.filter_columns())
        if top_k < 1:
            raise ValueError(f"`top_k` must be at least 1, got {top_k}")
        queries = directions(vectors, "vectors")
        return self._search.search(queries, self._space(space), top_k, condition, with_vectors)

    def _space(self, name: str) -> Space:
        self.schema.column(name)  # raises where there is no such space
        return self._spaces[name]
