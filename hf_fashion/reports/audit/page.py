"""Write the page of an audit, with pictures of the worst, and its findings as JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...audit.audited_corpus import AuditedCorpus
from ...files import folder_written_aside, write_json
from ..report_page import html_table, paragraph, write_page
from ..tables import cell
from .pictures import RowPictures
from .tables import attribute_cells, cross_modal_cells, summary_cells, tag_cells, value_cells


FINDINGS = "audit.json"
PAGE = "audit.html"
VALUES_SHOWN = 20
REACHABLE = (
    "What a perfect model reaches that cannot tell equal photos apart, nor equal titles; in brackets what a random "
    "order reaches. Differences of less than about three standard errors may be luck. By words: the ceiling where the "
    "spelling and order of words do not count. The pairings are those of hf-fashion evaluate."
)
LEAKS = (
    "A model is then evaluated on what it has seen. Titles of the same words are near ones, in any order and "
    "spelling; photos are near ones where they are the same picture, also smaller or saved again."
)
PHOTOS = "Different products with the same picture, those first whose labels differ most."
TITLE_SECTIONS = (
    ("One title in several spellings", "Titles of the same words: to a metric they are other texts.", "near_titles"),
    ("The same title, several products", "No model can tell these products apart by their titles.", "titles"),
)
ISSUES = (
    "The labels that the model believes least, by confident learning; those first whose captions agree with it. A "
    "model believes most labels that it was trained on: look at a split that it has not seen."
)
DOUBTFUL = "That is nearer to always naming the most frequent value: many of these may be errors of the model."


def check_output(folder: str | Path) -> None:
    """Raise if a folder holds anything but an audit, which a new one may replace.

    Args:
        folder (`str` or `pathlib.Path`): where an audit is to be written.

    Raises:
        ValueError: it is a file, or a folder with other things.
    """
    folder = Path(folder)
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {FINDINGS, PAGE}:
        return
    if folder.exists():
        raise ValueError(f"{folder} is not the folder of an audit, which may be replaced: name another `output`")


def write_audit(folder: str | Path, corpus: AuditedCorpus, findings: Mapping[str, Any]) -> Path:
    """Write `audit.html` and `audit.json` aside and rename the folder; an audit that is there is replaced.

    Args:
        folder (`str` or `pathlib.Path`): the folder.
        corpus (`AuditedCorpus`): the rows, for their photos.
        findings (`Mapping[str, Any]`): from [`~audit.audit.audit`].

    Returns:
        The path of the page.

    Raises:
        ValueError: as [`check_output`].
    """
    check_output(folder)
    with folder_written_aside(folder, replace=True) as aside:
        write_json(findings, aside / FINDINGS)
        splits = ", ".join(f"{name} {count:,} rows" for name, count in findings["splits"].items())
        divided = ", divided here as in training" if findings["held_out"] else ""
        judge = f" Judged by {findings['model']}." if findings["model"] else ""
        write_page(
            aside / PAGE, f"Audit of {findings['corpus']}", f"{splits}{divided}.{judge}", _sections(corpus, findings)
        )
    return Path(folder) / PAGE


def _sections(corpus: AuditedCorpus, findings: Mapping[str, Any]) -> list[tuple[str, str]]:
    pictures, duplicates = RowPictures(corpus), findings["duplicates"]
    sections = [("In short", html_table(*summary_cells(findings)))]
    sections += [(f"What can be reached: {name}", _reachable(found)) for name, found in findings["reachable"].items()]
    titled = findings["captions"] is not None
    if len(findings["splits"]) > 1:
        photos = paragraph(LEAKS) + pictures.photo_groups(duplicates["leaked_photos"])
        sections.append(("Photos in several splits", photos))
        sections += [("Titles in several splits", pictures.title_groups(duplicates["leaked_titles"]))] * titled
    sections.append(
        ("The same photo, several products", paragraph(PHOTOS) + pictures.photo_groups(duplicates["photos"]))
    )
    for heading, text, groups in TITLE_SECTIONS:
        sections += [(heading, paragraph(text) + pictures.title_groups(duplicates[groups]))] * titled
    sections.append(("Labels that the model does not believe", _issues(pictures, findings)))
    sections.append(("Values of tags and attributes", _values(findings)))
    if titled:
        sections.append(("Captions", _captions(findings["captions"])))
    if findings["unreadable"]:
        sections.append(("Photos that cannot be read", _unreadable(findings["unreadable"])))
    return sections


def _reachable(metrics: Mapping[str, Any]) -> str:
    parts = [paragraph(REACHABLE)]
    for name, make in (("cross_modal", cross_modal_cells), ("tags", tag_cells), ("attributes", attribute_cells)):
        header, rows = make(metrics[name])
        parts += [paragraph(name.replace("_", "-").capitalize()), html_table(header, rows)] if rows else []
    problems = _problems(metrics["attributes"]).items()
    return "\n".join([*parts, *(paragraph(f"{name} cannot be evaluated: {text}") for name, text in problems)])


def _issues(pictures: RowPictures, findings: Mapping[str, Any]) -> str:
    if findings["disagreements"] is None:
        return paragraph("Not measured: name a model (--model) that sees tags or attributes.")
    parts, problems = [paragraph(ISSUES)], _problems(findings["disagreements"])
    judged = {name: found for name, found in findings["disagreements"].items() if name not in problems}
    for name, found in sorted(judged.items(), key=lambda pair: -_skill(pair[1])):
        text = (
            f"{name}: the model sees {cell(found['agreement'])} % of {found['judged']:,} labels as they are (the most "
            f"frequent value is {cell(found['majority_rate'])} %). It does not believe {len(found['issues']):,}, "
            f"without {found['confirmed']:,} that captions confirm."
        )
        doubt = f" {DOUBTFUL}" if _skill(found) < 0.5 else ""
        parts += [paragraph(text + doubt), pictures.issues(found["issues"])]
    return "\n".join([*parts, *(paragraph(f"{name} is not judged: {text}.") for name, text in problems.items())])


def _problems(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Why a name has no findings, for each that has none."""
    return {name: its["problem"] for name, its in found.items() if "problem" in its}


def _skill(found: Mapping[str, Any]) -> float:
    """0 for a model that always names the most frequent value, 1 for one that agrees with all labels."""
    return (found["agreement"] - found["majority_rate"]) / (1 - found["majority_rate"])


def _values(findings: Mapping[str, Any]) -> str:
    parts = [html_table(*value_cells(findings))]
    for name, found in findings["values"].items():
        totals = {value: sum(counts.values()) for value, counts in found["values"].items()}
        spellings = [" = ".join(f"{value} ({totals[value]:,})" for value in group) for group in found["spellings"]]
        learnt = {value: counts.get("train", totals[value]) for value, counts in found["values"].items()}
        lists = {
            "too rare": [f"{value} ({learnt[value]})" for value in found["rare"]],
            "not in train": [f"{value} ({totals[value]})" for value in found["unseen"]],
            "probably one value": spellings,
        }
        parts += [paragraph(f"{name}, {kind}: {_first(values, '; ')}.") for kind, values in lists.items() if values]
    return "\n".join(parts)


def _captions(found: Mapping[str, Any]) -> str:
    words = ", ".join(f"{name} {value:.0f}" for name, value in found["words"].items())
    kind = "of the model's tokenizer" if found["counted"] else "that CLIP's tokenizer makes at the least"
    counts = {name: len(found[name]) for name in ("empty", "short", "cut")}
    share = cell(counts["cut"] / max(1, found["captions"]))
    parts = [
        f"{found['captions']:,} captions; words: {words}. {counts['empty']:,} rows have none, {counts['short']:,} "
        f"have one or two words. {counts['cut']:,} ({share} %) have more than {found['limit']} tokens {kind}."
    ]
    for name, values in found["named"].items():
        if values["num_rows"]:
            parts.append(f"{name}: named by {cell(values['share'])} % of the captions.")
        if values["never"]:
            parts[-1] += (
                f" Never: {_first([f'{value} ({count:,})' for value, count in values['never'].items()], ', ')}."
            )
    return "\n".join(map(paragraph, parts))


def _unreadable(found: list[Mapping[str, Any]]) -> str:
    return html_table(["row", "reason"], [[one["row"]["source"], one["reason"]] for one in found])


def _first(texts: list[str], separator: str) -> str:
    more = f"{separator}and {len(texts) - VALUES_SHOWN:,} more" if len(texts) > VALUES_SHOWN else ""
    return separator.join(texts[:VALUES_SHOWN]) + more
