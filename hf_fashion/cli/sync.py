"""Make a gallery follow its catalogue.

    hf-fashion sync --model runs/quickstart/e2/best --corpus catalogue.csv --gallery my_gallery --dry_run

    hf-fashion sync --model runs/quickstart/e2/best --corpus catalogue.csv --gallery my_gallery --delete_missing

New products and those with another photo are embedded, of the others the metadata are updated where they differ.
Products that the catalogue no longer has are kept, or deleted with --delete_missing. The gallery is one that `embed`
has made; its metadata columns stay as they are.
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
    parser.add_argument("--delete_missing", action="store_true", help="delete what the catalogue does not have")
    parser.add_argument("--dry_run", action="store_true", help="print what would be done, and change nothing")
    parser.add_argument("--batch_size", type=positive, default=64, help="photos in a forward pass and in a commit")


def run(arguments: argparse.Namespace) -> None:
    """Make the gallery follow the catalogue, and print what was done.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..retrieval.gallery import Gallery
    from ..retrieval.ingestion.check_catalogue import check_catalogue
    from ..retrieval.ingestion.processes import Processes

    gallery, processes = Gallery.open(arguments.gallery), Processes()
    with processes.main_first():
        catalogue = load_catalogue_of(arguments, metadata_columns=[], require_files=False)
    catalogue = check_catalogue(catalogue, None, processes)
    with processes.main_first():
        model, processor = load_model_of(arguments)
    report = gallery.sync(
        catalogue["dataset"],
        model,
        processor,
        id_column=catalogue["id_column"],
        image_column=catalogue["image_column"],
        batch_size=arguments.batch_size,
        delete_missing=arguments.delete_missing,
        dry_run=arguments.dry_run,
    )
    if processes.is_main:
        print(report)
        if arguments.dry_run or report.deleted:  # what is gone is named
            print(report.details())
        print(f"{len(gallery):,} products in {arguments.gallery}")
