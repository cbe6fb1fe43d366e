"""Results on stdout: a table for people, a line of JSON for programs."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any


CELL_WIDTH = 40


def print_search(search: Mapping[str, Any], as_json: bool) -> None:
    """Print a search as a table, or as one line of JSON.

    Args:
        search (`Mapping`): a dict of [`~pipelines.saved_search.SavedSearchPipeline`].
        as_json (`bool`): whether to print all of it as JSON, instead of a table of its results.
    """
    # JSON has no dates: they are written as text.
    print(json.dumps(search, default=str) if as_json else results_table(search["results"]))


def hide_loading_bars() -> None:
    """Hide the progress bars of weights that are read from disk; those of downloads are shown."""
    from huggingface_hub.utils import enable_progress_bars
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    enable_progress_bars()  # huggingface_hub's, which the line above has hidden too


def hide_notes_of_torchao() -> None:
    """Hide what torchao, where it is installed, tells of its GPU kernels whenever transformers is imported."""
    for name in ("torchao", "torch.utils._pytree"):
        logging.getLogger(name).setLevel(logging.ERROR)


def results_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of results: id, rank, the rank before where re-ranking moved any, score, then the metadata.

    Args:
        results (`Sequence[Mapping]`): results of one search.
    """
    from ..reports.tables import table

    if not results:
        return "nothing found"
    columns = list(dict.fromkeys(column for result in results for column in result.get("metadata", {})))
    moved = any(result["initial_rank"] != result["rank"] for result in results)
    rows = [
        [result["id"], str(result["rank"]), *([str(result["initial_rank"])] if moved else []), _score(result)]
        + [_cell(result.get("metadata", {}).get(column)) for column in columns]
        for result in results
    ]
    return table(["id", "rank", *(["was"] if moved else []), "score", *columns], rows)


def _score(result: Mapping[str, Any]) -> str:
    return f"{result['score']:.3f}" if "score" in result else "-"


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= CELL_WIDTH else f"{text[: CELL_WIDTH - 3]}..."
