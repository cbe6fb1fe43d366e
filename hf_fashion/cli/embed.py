"""Embed the photos of a catalogue into a gallery.

    hf-fashion embed --model runs/quickstart/e2/best --corpus photos --gallery my_gallery

    hf-fashion embed --model runs/quickstart/e2/best --corpus catalogue.csv --gallery my_gallery \\
        --id_column sku --image_column photo --metadata_columns brand price

In a plain folder of photos the id of a photo is its path in the folder. Photos that cannot be read are all named
before anything is embedded, or skipped with --on_bad_image skip. A run that was stopped continues when it is started
again, and a catalogue that has grown gets its new photos embedded. Several GPUs share the work under
`accelerate launch -m hf_fashion embed ...`.
"""

import argparse
from typing import Any

from .arguments import add_catalogue_arguments, add_model_arguments, load_catalogue_of, load_model_of, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    add_model_arguments(parser)
    add_catalogue_arguments(parser, required=True)
    parser.add_argument(
        "--on_bad_image",
        choices=("error", "skip"),
        default="error",
        help="what to do with photos that cannot be read; all are found before the first is embedded",
    )
    parser.add_argument(
        "--metadata_columns",
        nargs="*",
        help="columns to filter by and to show with results; default: the column map's tags",
    )
    parser.add_argument("--batch_size", type=positive, default=64, help="photos in a forward pass and in a commit")
    parser.add_argument(
        "--dimensions",
        type=positive,
        help="numbers kept of each vector, such as an eighth of the model's; default: all",
    )
    parser.add_argument(
        "--regions", action="store_true", help="also keep E2's embedding of the region of each tag entity"
    )


def run(arguments: argparse.Namespace) -> None:
    """Embed the products that are not in the gallery yet, and print how many it has.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..retrieval.ingestion.check_catalogue import check_catalogue
    from ..retrieval.ingestion.processes import Processes
    from ..retrieval.stores.opening import require_database

    require_database(arguments.gallery)  # before the catalogue and the model, which take minutes
    processes = Processes()
    with processes.main_first():  # the others find its downloads and caches
        catalogue = load_catalogue_of(arguments, metadata_columns=arguments.metadata_columns, require_files=False)
    catalogue = check_catalogue(catalogue, arguments.on_bad_image, processes)
    with processes.main_first():
        from ..retrieval.gallery import Gallery

        model, processor = load_model_of(arguments)
    gallery = Gallery.from_dataset(
        **catalogue,
        model=model,
        processor=processor,
        uri=arguments.gallery,
        batch_size=arguments.batch_size,
        dimensions=arguments.dimensions,
        regions=arguments.regions,
    )
    if processes.is_main:
        print(f"{len(gallery):,} products in {arguments.gallery}")
        if not gallery.schema.metadata.names and arguments.metadata_columns is None and _has_more_columns(catalogue):
            print("without columns for filters and results: name some with --metadata_columns, in another gallery")


def _has_more_columns(catalogue: dict[str, Any]) -> bool:
    from ..data.sources.source_rows import own_columns

    return bool(set(own_columns(catalogue["dataset"])) - {catalogue["id_column"], catalogue["image_column"]})
