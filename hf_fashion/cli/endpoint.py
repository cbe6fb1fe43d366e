"""Write the handler of a Hub inference endpoint into a model's folder.

    hf-fashion endpoint runs/quickstart/e2/best --gallery my_gallery --reranker query_expansion

Push the folder and start an endpoint from its page. Without --gallery it classifies and embeds. Its requests
are in docs/serving.md.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("folder", metavar="FOLDER", help="folder of a saved model with its processor")
    parser.add_argument(
        "--gallery",
        metavar="G",
        help="what to search: a folder or URI, which is saved next to the model, or a Hub id",
    )
    parser.add_argument("--reranker", metavar="R", help="folder or Hub id of an FR, or query_expansion, k_reciprocal")


def run(arguments: argparse.Namespace) -> None:
    """Write the handler.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..hub.endpoint.write import write_endpoint
    from .output import hide_loading_bars

    hide_loading_bars()
    write_endpoint(arguments.folder, arguments.gallery, arguments.reranker)
    print(f"wrote handler.py and what it needs into {arguments.folder}")
