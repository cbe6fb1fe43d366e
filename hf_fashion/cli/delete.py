"""Delete products from a gallery.

    hf-fashion delete --gallery my_gallery --ids 1234 1235

To delete what a catalogue no longer has, see `hf-fashion sync --delete_missing`.
"""

import argparse

from .arguments import add_gallery_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    add_gallery_argument(parser)
    parser.add_argument("--ids", nargs="+", required=True, metavar="ID", help="ids of the products")


def run(arguments: argparse.Namespace) -> None:
    """Delete the products and print how many there were. Ids that the gallery does not have are an error, and nothing
    is deleted.

    Args:
        arguments (`argparse.Namespace`): the parsed options.

    Raises:
        ValueError: the gallery does not have a product.
    """
    from ..retrieval.gallery import Gallery

    gallery = Gallery.open(arguments.gallery)
    missing = sorted(set(arguments.ids) - set(gallery.ids()))
    if missing:
        raise ValueError(
            f"--ids: {', '.join(map(repr, missing[:5]))} {'are' if len(missing) > 1 else 'is'} not in the gallery at "
            f"{arguments.gallery} ({len(missing):,} of {len(set(arguments.ids)):,} ids); nothing was deleted"
        )
    print(f"{gallery.delete(arguments.ids):,} deleted, {len(gallery):,} products in {arguments.gallery}")
