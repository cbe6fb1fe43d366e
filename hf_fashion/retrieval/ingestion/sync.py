"""Makes a gallery follow its catalogue: adds, embeds again, updates and deletes products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...embedding.encoder import Encoder
from ...messages import listed
from .catalogue import Catalogue
from .differences import Differences, find_differences
from .embed_catalogue import Fillable, embed_rows
from .prefetch import in_batches
from .processes import Processes


UPDATED_AT_ONCE = 1000  # products a commit


class Syncable(Fillable, Protocol):
    """The calls of a [`Gallery`] that are needed to make it follow a catalogue."""

    def update(self, ids: Sequence[str], metadata: Mapping[str, Sequence[Any]]) -> None: ...

    def delete(self, ids: Sequence[str]) -> int: ...


@dataclass(frozen=True)
class SyncReport:
    """What [`Gallery.sync`] did, or with `dry_run` would do. `str` of it is a sentence.

    Args:
        added (`tuple[str, ...]`): ids of new products.
        embedded_again (`tuple[str, ...]`): ids of products with another photo than before, or without the hash of it.
        updated (`tuple[str, ...]`): ids of products with the same photo and other metadata.
        deleted (`tuple[str, ...]`): ids of products that the catalogue no longer has, which were deleted.
        kept (`tuple[str, ...]`): ids of products that the catalogue no longer has, which are still in the gallery.
        unchanged (`int`): number of all other products.
        dry_run (`bool`): nothing was changed.
    """

    added: tuple[str, ...]
    embedded_again: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    kept: tuple[str, ...]
    unchanged: int
    dry_run: bool

    def __str__(self) -> str:
        parts = [f"{len(ids):,} {what}" for what, ids in self._changes().items()]
        if self.kept:
            parts.append(f"{len(self.kept):,} kept that the catalogue does not have")
        would = "nothing was changed; without `dry_run`: " if self.dry_run else ""
        return f"{would}{', '.join(parts)}, {self.unchanged:,} unchanged"

    def details(self) -> str:
        """Return the ids of what changes, a line for each kind of change."""
        changes = self._changes() | {"kept that the catalogue does not have": self.kept}
        return "\n".join(listed(what, ids) for what, ids in changes.items() if ids)

    def _changes(self) -> dict[str, tuple[str, ...]]:
        return {
            "added": self.added,
            "embedded again because the photo is another one": self.embedded_again,
            "given new metadata": self.updated,
            "deleted": self.deleted,
        }


def sync_catalogue(
    gallery: Syncable,
    encoder: Encoder,
    catalogue: Catalogue,
    batch_size: int,
    progress: bool,
    processes: Processes,
    delete_missing: bool,
    dry_run: bool,
) -> SyncReport:
    """Make a gallery hold the products of a catalogue as they are. A call that was killed is made again.

    First metadata are updated, then photos embedded, batch by batch, then products deleted: until the last commit the
    gallery has every product that it had.

    Args:
        gallery ([`Syncable`]): with hashes of photos, the encoder's spaces and its model's fingerprint.
        encoder ([`Encoder`]): of the gallery's model.
        catalogue (`Catalogue`): the products, with the gallery's metadata columns.
        batch_size (`int`): photos a forward pass.
        progress (`bool`): whether to show bars.
        processes (`Processes`): those that call this together, each with the same catalogue.
        delete_missing (`bool`): whether to delete the products that the catalogue does not have.
        dry_run (`bool`): whether only to report.

    Raises:
        ValueError: a photo cannot be read, a value is not of its column's type, `delete_missing` would delete all
            products of the gallery, or the processes have different catalogues.
    """

    def plan() -> Differences:
        found = find_differences(gallery.products(), gallery.schema, catalogue, gallery.check_rows, progress)
        if delete_missing:
            _require_some_known(found, catalogue)
        return found

    found = processes.exchange(processes.attempt(plan) if processes.is_main else None)[0]
    processes.agree()
    if not dry_run:
        if processes.is_main:
            processes.attempt(_update, gallery, catalogue, found.metadata)
        processes.agree()
        embed_rows(gallery, encoder, catalogue, sorted([*found.new, *found.photos]), batch_size, progress, processes)
        if processes.is_main and delete_missing and found.gone:
            processes.attempt(_delete, gallery, found.gone)
        processes.agree()
    return _report(found, catalogue, delete_missing, dry_run)


def _update(gallery: Syncable, catalogue: Catalogue, rows: Sequence[int]) -> None:
    for part in in_batches(rows, UPDATED_AT_ONCE):
        gallery.update([catalogue.ids[row] for row in part], catalogue.metadata(part))


def _delete(gallery: Syncable, ids: Sequence[str]) -> None:
    gallery.delete(ids)
    gallery.compact()


def _require_some_known(found: Differences, catalogue: Catalogue) -> None:
    if found.gone and len(found.new) == len(catalogue):
        raise ValueError(
            f"`delete_missing` would delete all {len(found.gone):,} products of the gallery: the catalogue has none "
            f"of their ids. The gallery has ids like {found.gone[0]!r}, the catalogue "
            f"{'like ' + repr(catalogue.ids[0]) if catalogue.ids else 'none'}. Choose the column of ids that the "
            "gallery was made with, or delete the gallery's folder and embed the catalogue"
        )


def _report(found: Differences, catalogue: Catalogue, delete_missing: bool, dry_run: bool) -> SyncReport:
    def ids(rows: Sequence[int]) -> tuple[str, ...]:
        return tuple(catalogue.ids[row] for row in rows)

    gone = tuple(found.gone)
    deleted, kept = (gone, ()) if delete_missing else ((), gone)
    return SyncReport(ids(found.new), ids(found.photos), ids(found.metadata), deleted, kept, found.unchanged, dry_run)
