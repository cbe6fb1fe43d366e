"""Find values of tags and attributes that are hard to learn: rare, never in train, one value in several spellings."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from .audited_corpus import AuditedCorpus
from .wording import one_letter_apart, value_key


# A value of fewer photos in the train split is called rare.
MIN_PHOTOS = 10
# Of two values one letter apart the one is probably an error where the other has this many times more photos.
TYPO_FACTOR = 10


def audit_values(corpus: AuditedCorpus) -> dict[str, dict[str, Any]]:
    """Return, for every tag and attribute, how many photos its values have.

    Args:
        corpus (`AuditedCorpus`): the rows.

    Returns:
        `dict`: name -> `column`; `num_rows` and `labelled`; `values`, value -> split -> photos, frequent ones first;
        `rare`, values of 1 to `MIN_PHOTOS` - 1 photos in train, the rarest first; `rare_share`, of the labelled rows
        of train; `unseen`, values that are in another split but not in train; `spellings`, groups of values that are
        probably one. Without a split `train` rare values are those of all rows, and none is unseen.
    """
    return {
        name: {"column": corpus.columns[name], **_audit(corpus, values)} for name, values in corpus.labels().items()
    }


def spelling_groups(counts: dict[str, int]) -> list[list[str]]:
    """Return groups of values that are probably one: spellings, or a typing error next to a frequent value.

    Args:
        counts (`dict[str, int]`): value -> photos.

    Returns:
        `list[list[str]]`: each group with its most frequent value first; the groups of most photos first.
    """
    by_key = defaultdict(list)
    for value in counts:
        by_key[value_key(value)].append(value)
    groups = [values for key, values in by_key.items() if key and len(values) > 1]
    totals = {key: sum(counts[value] for value in values) for key, values in by_key.items()}
    for pair in one_letter_apart(by_key):
        rare, frequent = sorted(pair, key=totals.get)
        if totals[rare] * TYPO_FACTOR <= totals[frequent]:
            groups.append(by_key[frequent] + by_key[rare])
    groups = [sorted(values, key=lambda value: -counts[value]) for values in groups]
    return sorted(groups, key=lambda values: -sum(counts[value] for value in values))


def _audit(corpus: AuditedCorpus, values: Sequence[Sequence[str]]) -> dict[str, Any]:
    by_split = {
        name: Counter(value for row in corpus.rows_of(name) for value in values[row]) for name in corpus.splits
    }
    total = sum(by_split.values(), Counter())
    learnt = by_split.get("train", total)
    rare = sorted((value for value, count in learnt.items() if count < MIN_PHOTOS), key=lambda value: learnt[value])
    unseen = [value for value in total if value not in learnt]
    return {
        "num_rows": len(corpus),
        "labelled": sum(map(bool, values)),
        "values": {
            value: {name: found[value] for name, found in by_split.items()} for value, _ in total.most_common()
        },
        "rare": rare,
        "rare_share": sum(learnt[value] for value in rare) / max(1, learnt.total()),
        "unseen": unseen,
        "spellings": spelling_groups(total),
    }
