"""Sort duplicates into leaks between splits and repetitions within one, the worst first."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from ..data.leaks import Leak, compare_keys, find_title_leaks
from .audited_corpus import AuditedCorpus, Row
from .near_photos import PhotoGroup, near_photos
from .near_titles import TitleGroup, near_titles
from .signatures import PhotoSignatures


Group = dict[str, Any]


def audit_duplicates(corpus: AuditedCorpus, signatures: PhotoSignatures, progress: bool = True) -> dict[str, Any]:
    """Return the photos and titles that several products or several splits have.

    Args:
        corpus (`AuditedCorpus`): the rows.
        signatures (`PhotoSignatures`): of their photos.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

    Returns:
        `dict`: groups of rows. `photos`: near-duplicates in one split, those first whose labels differ most; `titles`:
        the same title in one split, and `near_titles`, several spellings of one, the largest first; `leaked_photos`
        and `leaked_titles`: in several splits. `leaks`: for each two splits, how many rows of the second are in the
        first too, by `same_photo` and `near_photo`, `same_title` and `near_title`; near ones include same ones.
    """
    owners, labels = corpus.owners(), corpus.labels()
    photos = [_photo_group(group, labels) for group in near_photos(signatures, owners, progress)]
    photos.sort(key=lambda group: (-len(group["differing"]), -len(group["rows"]), group["difference"]))
    titles = [_title_group(group) for group in near_titles(corpus.captions, owners)]
    leaked_photos, photos = _divided(corpus, photos)
    leaked_titles, titles = _divided(corpus, titles)
    return {
        "photos": photos,
        "titles": [group for group in titles if len(group["titles"]) == 1],
        "near_titles": [group for group in titles if len(group["titles"]) > 1],
        "leaked_photos": leaked_photos,
        "leaked_titles": leaked_titles,
        "leaks": _count_leaks(corpus, signatures, leaked_photos, leaked_titles),
    }


def _photo_group(group: PhotoGroup, labels: dict[str, list[list[str]]]) -> Group:
    """The group with the values of its rows, for each tag and attribute in which labelled rows differ."""
    differing = {}
    for name, values in labels.items():
        found = {tuple(values[row]) for row in group.rows if values[row]}
        if len(found) > 1:
            differing[name] = [", ".join(value) for value in sorted(found)]
    return {
        "rows": [Row(row) for row in group.rows],
        "views": list(group.views),
        "difference": group.difference,
        "same_file": group.same_file,
        "differing": differing,
    }


def _title_group(group: TitleGroup) -> Group:
    return {"titles": list(group.titles), "rows": [Row(row) for row in group.rows]}


def _divided(corpus: AuditedCorpus, groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """Groups in several splits, and groups in one."""
    crossing, inside = [], []
    for group in groups:
        several = len({corpus.place(row)[0] for row in group["rows"]}) > 1
        (crossing if several else inside).append(group)
    return crossing, inside


def _count_leaks(
    corpus: AuditedCorpus, signatures: PhotoSignatures, photos: Sequence[Group], titles: Sequence[Group]
) -> list[dict[str, Any]]:
    keys = {name: [] for name in corpus.splits}
    for row, file in zip(signatures.rows, signatures.files, strict=True):
        name, number = corpus.place(row)
        keys[name].append((number, file))
    caption = corpus.column_map.caption
    same_photos = compare_keys("photo", keys, {})
    same_titles = find_title_leaks(corpus.splits, caption) if caption else []
    return [
        {
            "first": first,
            "second": second,
            "same_photo": _count_same(same_photos, first, second),
            "near_photo": _count_near(corpus, photos, first, second),
            "same_title": _count_same(same_titles, first, second),
            "near_title": _count_near(corpus, titles, first, second),
        }
        for first, second in combinations(corpus.splits, 2)
    ]


def _count_same(leaks: Sequence[Leak], first: str, second: str) -> int:
    return sum(len(leak.rows) for leak in leaks if (leak.first, leak.second) == (first, second))


def _count_near(corpus: AuditedCorpus, groups: Sequence[Group], first: str, second: str) -> int:
    rows: set[int] = set()  # a row with several photos is in several groups
    for group in groups:
        places = {row: corpus.place(row)[0] for row in group["rows"]}
        if first in places.values():
            rows |= {row for row, split in places.items() if split == second}
    return len(rows)
