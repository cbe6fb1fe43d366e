"""When a table is tidied: small files joined, old versions removed, new rows taken into the indexes."""

from __future__ import annotations

from typing import Any

from . import index as lance_index


# Every change leaves a version, and most of them a part of the table (a fragment). Upserts and reads with a filter
# slow down with the number of parts: in a gallery of 1,000 products from 8 to 48 ms an upsert when there are 256.
# Tidying writes the rows again, so it is done less often where there are many: after FEW changes, and one more for
# each ROWS_A_CHANGE rows, up to MANY (benchmarks/gallery_upkeep.py).
FEW, MANY, ROWS_A_CHANGE = 32, 256, 1000
# Rows that were replaced or deleted stay in the files of older versions: as many as the table has, but at least this.
MIN_OUTDATED = 1000
# Rows that no index has are compared with a query one by one, 1.7 ms a thousand of 512 dimensions. Each time that an
# index takes some in, it gains a part, and every search 0.4 ms: both cost the same when 100,000 are added in steps of
# this size (benchmarks/exact_search_limit.py).
MAX_UNINDEXED = 5000


def is_due(table: Any, outdated: int) -> bool:
    """Return whether a table is to be tidied after a change.

    Args:
        table (`lancedb.table.Table`): LanceDB's, with the change.
        outdated (`int`): rows that this process has replaced or deleted since the table was tidied.
    """
    stats = table.stats()
    most = min(MANY, FEW + stats["num_rows"] // ROWS_A_CHANGE)
    return (
        # Whichever process makes the change: each makes one version.
        table.version % most == 0
        or stats["fragment_stats"]["num_fragments"] > most
        or outdated > max(stats["num_rows"], MIN_OUTDATED)
        or max((rows for _, _, rows in lance_index.describe(table).values()), default=0) > MAX_UNINDEXED
    )
