"""The table of recall that the comparisons of E2 print."""

from collections.abc import Callable, Sequence
from statistics import mean

from benchmarks.runs import markdown, spread


WAYS = ("image_to_text", "text_to_image")


def recall_table(results: dict[str, dict[str, dict]], names: Sequence[str], base_of: Callable[[str], str]) -> str:
    """Return recall in both directions and SumR of rows, and R@1 relative to that of another row.

    Args:
        results (`dict[str, dict[str, dict]]`): row -> seed -> metrics, those of recall in `cross_modal`.
        names (`Sequence[str]`): the rows to show.
        base_of (`Callable[[str], str]`): the row that a row is compared with, such as CLIP-FT of the same setting.
    """
    header = ["row", "seeds", "image-to-text R@1", "text-to-image R@1", "SumR", "R@1 against the baseline"]
    rows = []
    for name in names:
        runs, base = _runs(results, name), _runs(results, base_of(name))
        recalls, of_base = _recalls(runs), _recalls(base)
        pairs = zip(recalls, of_base, strict=True) if base else ()
        gains = [f"{mean(ours) / mean(theirs) - 1:+.1%}" for ours, theirs in pairs]
        cells = [name, str(len(runs)), *map(spread, recalls), spread([run["sum_recall"] for run in runs])]
        rows.append([*cells, " / ".join(gains)])
    return markdown(header, rows)


def _runs(results: dict[str, dict[str, dict]], name: str) -> list[dict[str, float]]:
    return [seed["cross_modal"] for seed in results.get(name, {}).values()]


def _recalls(runs: list[dict[str, float]]) -> list[list[float]]:
    return [[run[f"{way}_recall@1"] for run in runs] for way in WAYS]
