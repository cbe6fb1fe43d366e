"""Search a gallery by photo, text, weighted terms, a photo and its change, or one attribute or region of a photo.

    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --text "a red dress with stripes"

    hf-fashion search --model runs/quickstart/e2/best --gallery my_gallery --term "green shirt=1" \\
        --term "buttons=-0.5" --filter "price < 50" --top_k 5 --grid found.png --corpus photos

    hf-fashion search --model runs/quickstart/e2/best --gallery region_gallery --image photos/dress.jpg \\
        --change "in red"

    hf-fashion search --model runs/attributes/best --gallery attribute_gallery --image photos/dress.jpg \\
        --attribute neckline --json

    hf-fashion search --model runs/quickstart/e2/best --gallery region_gallery --text Lumaro --entity brand

--json prints one line, which `hf-fashion rerank` reads. --grid draws query and results as one picture, with the photos
of --corpus, the catalogue that was embedded; a product that is not in it has an empty panel.
"""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..messages import listed
from .arguments import add_catalogue_arguments, add_model_arguments, load_catalogue_of, load_model_of, positive
from .output import print_search


logger = logging.getLogger(__name__)

QUERY = ("image", "text", "image_weight", "change", "attribute", "entity")
CORPUS_OPTIONS = ("split", "id_column", "image_column", "column_map")
OPTIONS = ("filter", "top_k", "threshold", "group_by", "num_candidates", "late_interaction", "change_by")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_model_arguments(parser, or_hub_id=True)
    query = parser.add_argument_group("query", "a photo, a text or terms; a photo may be given with the others")
    query.add_argument("--image", metavar="P", help="path or URL of a photo")
    query.add_argument("--text", help="a description, for models that read text")
    query.add_argument(
        "--term", type=weighted, action="append", metavar="TEXT=WEIGHT", help="a description; may be repeated"
    )
    query.add_argument("--image_weight", type=float, help="weight of the photo next to texts; default: 1")
    query.add_argument("--change", metavar="WORDS", help='what is different about the products to find: "in red"')
    query.add_argument("--attribute", metavar="A", help="compare photos in it, for attribute-specific models")
    query.add_argument("--entity", metavar="E", help="compare regions of it, for E2 and a gallery with --regions")
    parser.add_argument(
        "--top_k", type=positive, help="number of results, at most as many as the gallery has products; default: 10"
    )
    parser.add_argument(
        "--filter",
        metavar="SQL",
        help="condition on the metadata, such as \"brand = 'Lumaro'\"; several are joined by AND",
    )
    parser.add_argument("--threshold", type=float, help="least score of a result")
    parser.add_argument("--group_by", metavar="COLUMN", help="keep the best product of each value of the column")
    parser.add_argument(
        "--late_interaction",
        type=float,
        metavar="W",
        help="weight, 0 to 1, of a product's best region in the score of a text, not of a photo or an entity; needs a "
        "gallery with --regions",
    )
    parser.add_argument(
        "--change_by",
        metavar="WAY",
        help="arithmetic (replace regions, or move the photo's embedding; default), text (edit the photo's tags) or "
        "combiner (move the query of arithmetic; default with --combiner)",
    )
    parser.add_argument("--combiner", metavar="C", help="folder of a combiner that was trained with the model")
    parser.add_argument("--reranker", metavar="R", help="folder of an FR, or query_expansion, k_reciprocal")
    parser.add_argument("--num_candidates", type=positive, help="candidates that the re-ranker gets")
    parser.add_argument("--json", action="store_true", help="one line of JSON in place of a table")
    grid = parser.add_argument_group("picture")
    grid.add_argument("--grid", metavar="PNG", help="picture to write; needs --corpus")
    add_catalogue_arguments(grid, required=False)


def run(arguments: argparse.Namespace) -> None:
    """Search, print the results, draw the picture."""
    if bool(arguments.grid) != bool(arguments.corpus):
        raise ValueError("--grid and --corpus go together: the picture is drawn with the photos of the corpus")
    if not arguments.corpus and (useless := list(_given(arguments, CORPUS_OPTIONS))):
        raise ValueError(f"--{useless[0]} is for --corpus, whose photos --grid draws: give both, or leave it out")
    if arguments.combiner and (arguments.change is None or arguments.change_by not in (None, "combiner")):
        raise ValueError(
            "--combiner moves a --change, where --change_by is combiner or not given: give a --change, or leave "
            "--combiner out"
        )

    from ..embedding.changes.combiners import load_combiner
    from ..pipelines.saved_search import SavedSearchPipeline
    from ..retrieval.rerankers.loading import load_reranker
    from ..retrieval.stores.opening import require_database

    require_database(arguments.gallery)  # before the model is loaded
    model, processor = load_model_of(arguments)
    reranker = arguments.reranker and load_reranker(arguments.reranker, arguments.trust_remote_code)
    combiner = arguments.combiner and load_combiner(arguments.combiner, arguments.trust_remote_code)
    # Not by `pipeline`, which would execute the code that a folder may bring along.
    searching = SavedSearchPipeline(
        model,
        gallery=arguments.gallery,
        reranker=reranker,
        processor=processor,
        combiner=combiner,
        device=model.device,
    )
    query = read_query(arguments)
    # As the query's own options: those that do not fit it are refused.
    found = {"query": query, **searching(query | _given(arguments, OPTIONS))}
    print_search(found, arguments.json)
    if arguments.grid:
        write_grid(found, arguments)


def read_query(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the query as the pipeline takes it.

    Args:
        arguments (`argparse.Namespace`): options of the command.

    Raises:
        ValueError: a term is given twice.
    """
    query = _given(arguments, QUERY)
    texts = [text for text, _ in arguments.term or []]
    if repeated := sorted({text for text in texts if texts.count(text) > 1}):
        raise ValueError(f"`--term` must give each text one weight, got several for {', '.join(map(repr, repeated))}")
    return query | {"terms": dict(arguments.term)} if arguments.term else query


def write_grid(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Draw query and results with the catalogue's photos; of products without one the panel is empty, with a warning.

    Args:
        found (`dict`): the search, with its `query`.
        arguments (`argparse.Namespace`): options of the command.
    """
    from ..embedding.query_photos import ANYWHERE
    from ..pipelines.photos_fashion_retrieval import photo_for
    from ..reports.grid import draw_grid

    query = found["query"]
    text = (
        query.get("text")
        or query.get("change")
        or "\n".join(f"{weight:+g} {term}" for term, weight in query.get("terms", {}).items())
    )
    asked, caption = (ANYWHERE.open(query["image"]), text or "query") if "image" in query else (text, "query")
    all_photos = _catalogue_photos(arguments)
    ids = [result["id"] for result in found["results"]]
    if missing := [product_id for product_id in ids if product_id not in all_photos]:
        logger.warning(listed("the corpus has no photo of these products, whose panels are empty", missing))
    photos = [photo_for(product_id, all_photos) for product_id in ids]
    grid = Path(arguments.grid).expanduser()
    grid.parent.mkdir(parents=True, exist_ok=True)
    draw_grid(asked, found["results"], photos, caption=caption).save(grid)


def _catalogue_photos(arguments: argparse.Namespace) -> Mapping[str, Any]:
    from ..retrieval.ingestion.catalogue_photos import CataloguePhotos

    columns = load_catalogue_of(arguments, metadata_columns=[], require_files=False)
    return CataloguePhotos.of_columns(columns["dataset"], columns["id_column"], columns["image_column"])


def weighted(text: str) -> tuple[str, float]:
    """Read `"green shirt=1"` as a term and its weight.

    Args:
        text (`str`): value of the option.
    """
    term, _, weight = text.rpartition("=")
    try:
        return term, float(weight)
    except ValueError:
        raise argparse.ArgumentTypeError(f'must be "TEXT=WEIGHT", such as "green shirt=1", got {text!r}') from None


def _given(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}
