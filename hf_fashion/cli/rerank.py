"""Re-rank the results of saved searches, without the model that embedded them.

    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --text "a red dress" --top_k 50 \\
        --json > searches.jsonl
    hf-fashion rerank --gallery my_gallery --reranker query_expansion --searches searches.jsonl

One long search, as `hf-fashion search --json` prints it, is enough to compare re-rankers; --top_k is at most the
number of products in the gallery. A file may hold many searches, one a line. Results are re-ordered; none is added.
The query is the line's `vector`; in lines of your own, it may be a product of the gallery:
`{"query_id": "p1", "space": "image", "results": [{"id": "p2"}, {"id": "p3"}]}`.
"""

import argparse
import sys
from pathlib import Path

from .arguments import add_gallery_argument, add_trust_argument, positive
from .output import hide_loading_bars, print_search


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_gallery_argument(parser, or_hub_id=True)
    parser.add_argument(
        "--reranker", required=True, metavar="R", help="folder of an FR, or query_expansion, k_reciprocal"
    )
    parser.add_argument("--searches", metavar="FILE", help="output of `search --json`; default: stdin")
    parser.add_argument(
        "--num_candidates",
        type=positive,
        help="results that the re-ranker gets; default: the number that an FR is made for, or all",
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON a search in place of a table")
    add_trust_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Re-rank and print one search after the other."""
    from ..pipelines.saved_search import read_searches, rerank_search
    from ..pipelines.search_fashion_retrieval import open_gallery
    from ..retrieval.rerankers.loading import load_reranker
    from ..retrieval.rerankers.reasoning import ReasoningReranker

    hide_loading_bars()
    gallery = open_gallery(arguments.gallery)
    reranker = load_reranker(arguments.reranker, arguments.trust_remote_code)
    if isinstance(reranker, ReasoningReranker):
        reranker.check_embedder(gallery.info()["fingerprint"])
    text = Path(arguments.searches).read_text(encoding="utf-8") if arguments.searches else sys.stdin.read()
    place = arguments.searches or "stdin"
    searches = read_searches(text.split("\n"))
    if not searches:
        raise ValueError(f"{place} has no search: write one a line into it with `hf-fashion search --json`")
    for line, search in searches.items():
        try:
            reranked = rerank_search(search, gallery, reranker, arguments.num_candidates)
        except ValueError as error:
            raise ValueError(f"{place}, line {line}: {error}. The lines before it are written") from error
        print_search(reranked, arguments.json)
