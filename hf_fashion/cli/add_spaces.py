"""Copy a gallery into one that has the spaces of new attributes too.

    hf-fashion add-spaces --model heels --corpus catalogue.csv --id_column sku \\
        --gallery attribute_gallery --output heel_gallery

MODEL is the gallery's model after `hf-fashion add-attribute`. Only the new attributes are embedded; vectors and
metadata of the gallery are copied as they are, and the gallery itself stays. A run that was stopped goes on when it is
started again.
"""

import argparse

from .arguments import add_catalogue_arguments, add_model_arguments, load_catalogue_of, load_model_of, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    add_model_arguments(parser)
    add_catalogue_arguments(parser, required=True)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the new gallery, or its URI")
    parser.add_argument("--batch_size", type=positive, default=64, help="photos in a forward pass and in a commit")


def run(arguments: argparse.Namespace) -> None:
    """Write the new gallery, and print its spaces.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..retrieval.gallery import Gallery

    gallery = Gallery.open(arguments.gallery)
    catalogue = load_catalogue_of(arguments, metadata_columns=[])
    model, processor = load_model_of(arguments)
    columns = {name: catalogue[name] for name in ("id_column", "image_column")}
    new = gallery.add_spaces(
        catalogue["dataset"], model, processor, uri=arguments.output, batch_size=arguments.batch_size, **columns
    )
    print(f"{len(new):,} products in {arguments.output}, in the spaces {', '.join(new.schema.spaces)}")
