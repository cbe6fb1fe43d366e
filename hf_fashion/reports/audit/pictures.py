"""Show rows of an audited corpus as pictures: groups of duplicates, and labels that a model does not believe."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...audit.audited_corpus import AuditedCorpus
from ..report_page import paragraph, picture, picture_row


SIDE = 160
GROUPS_SHOWN = 12
PHOTOS_SHOWN = 5


class RowPictures:
    """Pictures of the rows of an audited corpus, as HTML.

    Args:
        corpus (`AuditedCorpus`): the rows.
    """

    def __init__(self, corpus: AuditedCorpus):
        self._corpus, self._captions = corpus, corpus.captions

    def photo_groups(self, groups: Sequence[Mapping[str, Any]]) -> str:
        """Return the first groups of near-duplicate photos, and what differs in each.

        Args:
            groups (`Sequence[Mapping[str, Any]]`): from [`~audit.duplicates.audit_duplicates`].
        """
        return self._groups(groups, [_described(group) for group in groups[:GROUPS_SHOWN]])

    def title_groups(self, groups: Sequence[Mapping[str, Any]]) -> str:
        """Return the first groups of titles.

        Args:
            groups (`Sequence[Mapping[str, Any]]`): from [`~audit.duplicates.audit_duplicates`].
        """
        heads = [
            f"{len(group['rows'])} rows" + (f", {len(group['titles'])} spellings" if len(group["titles"]) > 1 else "")
            for group in groups[:GROUPS_SHOWN]
        ]
        return self._groups(groups, heads)

    def issues(self, issues: Sequence[Mapping[str, Any]]) -> str:
        """Return the labels that a model believes least.

        Args:
            issues (`Sequence[Mapping[str, Any]]`): of one tag or attribute, from [`~audit.seen_tags`].
        """
        shown = [self._picture(issue["row"], _contradiction(issue)) for issue in issues[:GROUPS_SHOWN]]
        return f'<div class="row">{"".join(shown)}</div>' if shown else ""

    def _groups(self, groups: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> str:
        if not groups:
            return paragraph("None.")
        rows = []
        for group, head in zip(groups, heads, strict=False):
            hidden = len(group["rows"]) - PHOTOS_SHOWN
            more = f", {hidden:,} more in audit.json" if hidden > 0 else ""
            shown = _by_turns(group)[:PHOTOS_SHOWN]
            rows.append(picture_row(head + more, [self._picture(row, view=view) for row, view in shown]))
        hidden = len(groups) - GROUPS_SHOWN
        return "\n".join(rows) + (paragraph(f"{hidden:,} more are in audit.json.") if hidden > 0 else "")

    def _picture(self, row: Mapping[str, Any], text: str | None = None, view: int = 0) -> str:
        caption = self._captions[self._corpus.rows_of(row["split"])[row["row"]]] or ""
        below = " · ".join(part for part in (text, caption, row["source"]) if part)
        try:
            photo = self._corpus.photo(row["split"], row["row"], view)
        except ValueError:  # a photo that cannot be read may have a title; the page lists it elsewhere
            return f'<div class="text">{paragraph(f"{below} (its photo cannot be read)")}</div>'
        photo.thumbnail((SIDE, SIDE))
        return picture(photo, caption or row["source"], below)


def _by_turns(group: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], int]]:
    """Rows and views: the first row of each split, then the second of each, so that both sides of a leak are shown."""
    of_split: Counter[str] = Counter()
    views = group.get("views", [0] * len(group["rows"]))
    turns = []
    for row, view in zip(group["rows"], views, strict=True):
        turns.append((of_split[row["split"]], row, view))
        of_split[row["split"]] += 1
    return [(row, view) for _, row, view in sorted(turns, key=lambda turn: turn[0])]


def _contradiction(issue: Mapping[str, Any]) -> str:
    agrees = ", as its caption" if issue["caption_agrees"] else ""
    return f"{issue['value']}, seen as {issue['seen']}{agrees} ({issue['strength']:.2f})"


def _described(group: Mapping[str, Any]) -> str:
    kind = "the same file" if group["same_file"] else f"difference {group['difference']:.1f}"
    differing = [f"{name}: {', '.join(values)}" for name, values in group["differing"].items()]
    return "; ".join([f"{len(group['rows'])} rows, {kind}", *differing])
