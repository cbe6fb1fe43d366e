"""Convert files that people have to a corpus.

    hf-fashion convert deepfashion-inshop In-shop --output corpora/inshop
    hf-fashion convert shopify products_export.csv --output corpora/shop --fetch_images photos
    hf-fashion convert webdataset "shards/shard-{000000..000009}.tar" --output corpora/shards

FORMAT is one of deepfashion-inshop, fashion-iq, fashionpedia, polyvore, hm (articles.csv), shopify (the export of
products), google-merchant (TSV, CSV or XML), webdataset (tar shards), fashiongen (HDF5) and fashionai, darn and
deepfashion (the attribute labels published with ASEN). The folder that it writes is a corpus for `train`, `embed` and
`evaluate`, with the column map of the same name: `--column_map shopify`.

Photos in files stay where they are. Photos that are URLs are downloaded only to the folder of --fetch_images: by http
and https, from public addresses, at most 200,000 of at most 20 MB each. Those that are there are not fetched again.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.set_defaults(stopped="Photos that are fetched are kept: start it again")
    parser.add_argument("format", metavar="FORMAT", help="what the files are")
    parser.add_argument("source", metavar="SOURCE", help="the file, or the folder of the files")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to create")
    parser.add_argument("--images", metavar="DIR", help="folder of the photos, if it is not the usual one")
    parser.add_argument("--fetch_images", metavar="DIR", help="download photos that are URLs to this folder")
    parser.add_argument(
        "--on_bad_image",
        choices=("error", "skip"),
        default="error",
        help="what to do with photos that are missing or cannot be fetched; skip keeps their rows, for a later check",
    )


def run(arguments: argparse.Namespace) -> None:
    """Convert the files, and print how many rows each split has.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..data.converters.convert import convert_corpus

    counts = convert_corpus(
        arguments.format,
        arguments.source,
        arguments.output,
        images=arguments.images,
        fetch_images=arguments.fetch_images,
        on_bad_image=arguments.on_bad_image,
    )
    for split, count in counts.items():
        print(f"{split}: {count:,} rows")
    print(f"a corpus in {arguments.output}, to be read with --column_map {arguments.format}")
