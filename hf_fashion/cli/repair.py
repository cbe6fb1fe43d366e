"""Keep one row of each product in a gallery that has products twice.

    hf-fashion repair --gallery my_gallery

Earlier versions let two processes add the same product at the same time. Of each product the row that was written last
is kept.
"""

import argparse

from .arguments import add_gallery_argument


add_arguments = add_gallery_argument


def run(arguments: argparse.Namespace) -> None:
    """Remove the other rows and print how many there were.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..retrieval.gallery import Gallery

    removed = Gallery.repair(arguments.gallery)
    print(f"{removed:,} rows removed, {len(Gallery.open(arguments.gallery)):,} products in {arguments.gallery}")
