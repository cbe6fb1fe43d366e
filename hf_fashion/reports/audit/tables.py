"""Make tables of an audit: what was found, leaks, what can be reached, values."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...audit.values import MIN_PHOTOS
from ..tables import Cells, cell


Findings = Mapping[str, Any]


def summary_cells(findings: Findings) -> Cells:
    """Return how much was found of each fault, in words.

    Args:
        findings (`Mapping[str, Any]`): from [`~audit.audit.audit`].

    Returns:
        Header and rows.
    """
    duplicates, titled = findings["duplicates"], findings["captions"] is not None
    rows = [
        ["photos that cannot be read", f"{len(findings['unreadable']):,}"],
        *_id_rows(findings["repeated_ids"]),
        ["the same photo, several products", _groups(duplicates["photos"])],
    ]
    if titled:
        rows.append(["the same title, several products", _groups(duplicates["titles"])])
        rows.append(["one title in several spellings", _groups(duplicates["near_titles"])])
    for leak in duplicates["leaks"]:
        rows += _leak_rows(findings["splits"][leak["second"]], leak, ("photo", "title") if titled else ("photo",))
    return ["found", "how many"], [*rows, *_model_rows(findings), *_value_rows(findings), *_caption_rows(findings)]


def cross_modal_cells(metrics: Mapping[str, Mapping[str, float]]) -> Cells:
    """Return ceilings of recall in percent, with chance in brackets, a row a pairing and direction.

    Args:
        metrics (`Mapping[str, Mapping[str, float]]`): `cross_modal` of [`~audit.reachable.reachable_metrics`].

    Returns:
        Header and rows; `R@1 by words` is the ceiling where spelling and order of words do not count.
    """
    rows = []
    for pairing, found in metrics.items():
        for direction in ("image_to_text", "text_to_image"):
            own = {name.removeprefix(f"{direction}_"): value for name, value in found.items()}
            recalls = [f"{cell(own[f'recall_ceiling@{k}'])} ({cell(own[f'recall_chance@{k}'])})" for k in (1, 5, 10)]
            counts = [f"{own['num_queries']:,}", f"{own['num_candidates']:,}"]
            shares = [cell(own["wording_ceiling@1"]), cell(own["largest_standard_error"])]
            rows.append([f"{pairing}, {direction.replace('_', ' ')}", *counts, *recalls, *shares])
    header = ["% (chance)", "queries", "candidates", "R@1", "R@5", "R@10", "R@1 by words", "standard error up to"]
    return header, rows


def tag_cells(metrics: Mapping[str, Mapping[str, float]]) -> Cells:
    """Return what can be reached by tag in percent, a row a tag.

    Args:
        metrics (`Mapping[str, Mapping[str, float]]`): `tags` of [`~audit.reachable.reachable_metrics`].

    Returns:
        Header and rows.
    """
    names = ("accuracy_ceiling", "majority_rate", "accuracy_largest_standard_error")
    searches = ("precision_ceiling@10", "precision_chance@10", "map_chance", "search_largest_standard_error")
    rows = [
        [
            entity,
            f"{found['num_images']:,}",
            f"{found['num_tags']:,}",
            *(cell(found[name]) for name in names + searches),
        ]
        for entity, found in metrics.items()
    ]
    naming = ["naming, ceiling", "most frequent", "standard error up to"]
    return ["%", "photos", "tags", *naming, "P@10, ceiling", "chance", "MAP, chance", "standard error up to"], rows


def attribute_cells(metrics: Mapping[str, Mapping[str, Any]]) -> Cells:
    """Return what can be reached in search by attribute in percent, a row an attribute that can be evaluated.

    Args:
        metrics (`Mapping[str, Mapping[str, Any]]`): `attributes` of [`~audit.reachable.reachable_metrics`].

    Returns:
        Header and rows.
    """
    counts = ("num_queries", "num_candidates", "num_without_match")
    shares = ("map_ceiling", "map_chance", "largest_standard_error")
    rows = [
        [name, *(f"{found[key]:,}" for key in counts), *(cell(found[key]) for key in shares)]
        for name, found in metrics.items()
        if "problem" not in found
    ]
    header = ["%", "queries", "candidates", "without a match", "MAP, ceiling", "chance", "standard error up to"]
    return header, rows


def value_cells(findings: Findings) -> Cells:
    """Return how many photos and values each tag and attribute has, a row each.

    Args:
        findings (`Mapping[str, Any]`): from [`~audit.audit.audit`].

    Returns:
        Header and rows; `named` is the percentage of captions that name the row's value.
    """
    named = findings["captions"]["named"] if findings["captions"] else {}
    rows = [
        [
            name,
            f"{found['labelled']:,} of {found['num_rows']:,}",
            f"{len(found['values']):,}",
            f"{len(found['rare']):,}",
            cell(found["rare_share"]),
            f"{len(found['unseen']):,}",
            f"{len(found['spellings']):,}",
            cell(named[name]["share"]) if name in named else "-",
        ]
        for name, found in findings["values"].items()
    ]
    rare = [f"below {MIN_PHOTOS} photos", "% of photos", "not in train", "several spellings"]
    return ["", "labelled", "values", *rare, "named by captions, %"], rows


def _groups(groups: Sequence[Mapping[str, Any]]) -> str:
    rows = {(row["split"], row["row"]) for group in groups for row in group["rows"]}
    return f"{len(groups):,} group{'' if len(groups) == 1 else 's'}, {len(rows):,} rows" if groups else "0"


def _id_rows(repeated: Sequence[Mapping[str, Any]] | None) -> list[list[str]]:
    if repeated is None:
        return []
    differing = [group for group in repeated if group["differing"]]
    count = f"{_groups(repeated)}; titles or labels differ in {_groups(differing)}" if differing else _groups(repeated)
    return [["one id, several rows", count]]


def _leak_rows(num_rows: int, leak: Mapping[str, Any], kinds: Sequence[str]) -> list[list[str]]:
    rows = []
    for kind in kinds:
        count = f"{leak[f'near_{kind}']:,} of {num_rows:,} rows ({leak[f'same_{kind}']:,} exactly)"
        rows.append([f"{leak['second']} with a {kind} of {leak['first']}", count])
    return rows


def _model_rows(findings: Findings) -> list[list[str]]:
    if findings["disagreements"] is None:
        return [["labels that a model does not believe", "not measured: no model was named"]]
    return [
        [f"{name}: labels that the model does not believe", _count_of_issues(found)]
        for name, found in findings["disagreements"].items()
    ]


def _count_of_issues(found: Mapping[str, Any]) -> str:
    if "problem" in found:
        return f"not judged: {found['problem']}"
    return f"{len(found['issues']):,} of {found['judged']:,} ({cell(found['agreement'])} % as the model sees them)"


def _value_rows(findings: Findings) -> list[list[str]]:
    kinds = {
        "rare": f"values of fewer than {MIN_PHOTOS} photos to learn from",
        "unseen": "values that are not in train",
        "spellings": "values in several spellings",
    }
    counts = {kind: sum(len(found[kind]) for found in findings["values"].values()) for kind in kinds}
    return [[label, f"{counts[kind]:,}"] for kind, label in kinds.items()] if findings["values"] else []


def _caption_rows(findings: Findings) -> list[list[str]]:
    found = findings["captions"]
    if found is None:
        return []
    least = "" if found["counted"] else " at the least"
    return [
        ["empty captions", f"{len(found['empty']):,}"],
        ["captions of one or two words", f"{len(found['short']):,}"],
        [f"captions of more than {found['limit']} tokens", f"{len(found['cut']):,}{least}"],
    ]
