"""Find ids that several rows have, which a gallery refuses."""

from collections import defaultdict
from typing import Any

from .audited_corpus import AuditedCorpus, Row


def audit_ids(corpus: AuditedCorpus) -> list[dict[str, Any]] | None:
    """Return the ids that several rows of one split have, those first whose titles or labels differ.

    Rows with one id may be photos of one product. Where their titles or labels differ they are perhaps several
    products, which share an id by mistake and which training takes for one.

    Args:
        corpus (`AuditedCorpus`): the rows.

    Returns:
        `list[dict]`, `None` where the column map names no id: `id`, `rows`, and `differing`, the names of what
        differs, `"title"` or a tag or attribute; empty cells do not differ from others.
    """
    ids = corpus.ids()
    if ids is None:
        return None
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, found in enumerate(ids):
        if found is not None:
            rows[corpus.place(row)[0], found].append(row)
    values: dict[str, list[Any]] = {"title": corpus.captions} | corpus.labels()
    repeated = [
        {
            "id": found,
            "rows": [Row(row) for row in its],
            "differing": [
                name for name, cells in values.items() if len({str(cells[row]) for row in its if cells[row]}) > 1
            ],
        }
        for (_, found), its in rows.items()
        if len(its) > 1
    ]
    return sorted(repeated, key=lambda group: (-len(group["differing"]), -len(group["rows"])))
