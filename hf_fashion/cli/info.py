"""Show what is in a gallery.

    hf-fashion info --gallery my_gallery

Products, spaces, metadata columns, the model that embedded it, kind of search and indexes.
"""

import argparse
import json

from ..messages import printable
from .arguments import add_gallery_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    add_gallery_argument(parser, or_hub_id=True)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(arguments: argparse.Namespace) -> None:
    """Print the facts that [`Gallery.info`] returns.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..pipelines.search_fashion_retrieval import open_gallery

    info = open_gallery(arguments.gallery).info()
    if arguments.json:
        print(json.dumps(info))
        return
    for name, value in info.items():
        print(printable(f"{name.replace('_', ' ')}: {_shown(value)}"))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} ({_shown(inner)})" for key, inner in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value) or "unknown"
