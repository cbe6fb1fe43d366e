"""Audit a corpus before training: what is wrong with it, and what can be reached with it.

    hf-fashion audit catalogue.csv --column_map my_map.yaml --output audit

    hf-fashion audit generated --split validation --model runs/quickstart/e2/best

Writes a page with pictures of the worst (audit.html) and all findings (audit.json): the same photo or title in several
products or splits, values that are too rare or written in several ways, captions that teach little, and ceiling,
chance and standard error of each metric. With a model also the tags or attributes that it does not believe; look then
at a split that it was not trained on. Nothing is changed, and the exit code is 0 whatever is found.
"""

import argparse

from .arguments import positive
from .output import hide_loading_bars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the corpus, the model and the output.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("corpus", help='"generated", a path, or a Hub id')
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; default: the corpus' own")
    parser.add_argument("--split", nargs="+", help="splits to read; default: all, a single one divided as in training")
    parser.add_argument("--model", help="folder or Hub id of E2, CLIP, SigLIP or an attribute-specific model")
    parser.add_argument("--batch_size", type=positive, default=64, help="photos in a forward pass; default: 64")
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    parser.add_argument(
        "--output", default="audit", help="folder to write; an audit there is replaced; default: audit"
    )


def run(arguments: argparse.Namespace) -> None:
    """Audit the corpus, write the page and print a table.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..audit.audit import audit
    from ..reports.audit.page import check_output, write_audit
    from ..reports.audit.tables import summary_cells
    from ..reports.tables import table

    hide_loading_bars()
    check_output(arguments.output)
    options = (arguments.column_map, arguments.split, arguments.model, arguments.batch_size, arguments.device)
    corpus, findings = audit(arguments.corpus, *options)
    page = write_audit(arguments.output, corpus, findings)
    print(table(*summary_cells(findings)))
    print(f"\n{page} shows the worst of each")
