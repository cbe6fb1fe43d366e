"""Join the small files of a gallery and remove its old versions.

    hf-fashion compact --gallery my_gallery

It happens by itself from time to time; after many small changes this frees disk space and makes searches faster.
"""

import argparse

from .arguments import add_gallery_argument


add_arguments = add_gallery_argument


def run(arguments: argparse.Namespace) -> None:
    """Compact the gallery.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..retrieval.gallery import Gallery

    gallery = Gallery.open(arguments.gallery)
    gallery.compact()
    print(f"compacted: {len(gallery):,} products in {arguments.gallery}")
