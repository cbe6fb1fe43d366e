"""An audited corpus with faults, and its findings."""

from functools import lru_cache
from typing import Any

from hf_fashion.audit.audit import audit_splits
from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.data.sources.source_rows import with_source_rows
from tests.audit.planted import COLUMN_MAP, planted_corpus


@lru_cache
def audited() -> tuple[AuditedCorpus, dict[str, Any]]:
    corpus = AuditedCorpus(with_source_rows(planted_corpus()), COLUMN_MAP)
    return corpus, {"corpus": "planted", "model": None, "held_out": False} | audit_splits(corpus, progress=False)


def with_issues(findings: dict[str, Any]) -> dict[str, Any]:
    """The findings as of a model that does not believe a label."""
    row = findings["captions"]["empty"][0]
    issue = {"row": row, "value": "red", "seen": "blue", "strength": 0.5, "caption_agrees": True}
    judged = {"judged": 20, "agreement": 0.6, "majority_rate": 0.3, "confirmed": 2, "issues": [issue]}
    unjudged = {"problem": "3 rows have one value of it, and 20 are needed"}
    return findings | {"model": "runs/best", "disagreements": {"season": unjudged, "colour": judged}}
