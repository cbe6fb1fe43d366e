"""What every evaluation takes on the command line. Nothing heavy is imported: `--help` must not wait for torch."""

import argparse
from typing import Any

from .retrieval_options import PAIRINGS, PROTOCOLS


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the model, the corpus and its split, re-rankers, and where to compute and to write. Returns the parser."""
    parser.add_argument("--model", required=True, help="folder or Hub id of a model with its processor")
    parser.add_argument("--corpus", required=True, help='"generated", a path, or a Hub id')
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; found by the corpus if it can")
    parser.add_argument("--split", default="validation", help="held out as in training where the corpus has none")
    parser.add_argument("--validation_fraction", type=float, default=0.1, help="share held out; as in the recipe")
    parser.add_argument("--train_split", help="the corpus' train split, if it is not called so")
    parser.add_argument("--on_bad_image", choices=("error", "skip"), default="error")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of queries, or of sample100's negatives")
    parser.add_argument(
        "--rerankers",
        nargs="+",
        default=[],
        metavar="FR",
        help="folders of FR models, or query_expansion, k_reciprocal",
    )
    parser.add_argument("--num_candidates", type=int, default=99, help="re-ranked by baselines; FR has its own number")
    parser.add_argument("--output", help="JSON file to write")
    return parser


def add_e2_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds what is measured of E2, or of a CLIP beside it. Returns the parser."""
    group = parser.add_argument_group("E2 and CLIP")
    group.add_argument("--protocol", choices=PROTOCOLS, default="full")
    group.add_argument("--pairing", choices=PAIRINGS, default="distinct_titles", help="what counts as a match")
    group.add_argument("--group_column", help="sample100: column that the negatives share with the match")
    group.add_argument("--tags", action="store_true", help="zero-shot tags and tag-to-image search")
    group.add_argument("--linear_probe", action="store_true", help="logistic regression trained on the train split")
    group.add_argument("--localisation", action="store_true", help="selected patches against the column of true boxes")
    return parser


def add_attribute_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds what is measured of attribute-specific models. Returns the parser."""
    group = parser.add_argument_group("attribute-specific models")
    group.add_argument("--attributes", nargs="+", help="those of the column map to search by; default: the model's")
    group.add_argument("--all_folds", action="store_true", help="every image asks once, for steadier figures")
    group.add_argument("--queries", help="published lists of queries, query_<split>.txt")
    group.add_argument("--candidates", help="published lists of candidates, candidate_<split>.txt")
    group.add_argument("--pointing", action="store_true", help="attention maps against the column of true boxes")
    return parser


def device_of(arguments: argparse.Namespace) -> Any:
    """The device that was asked for, else a GPU if there is one.

    Raises:
        ValueError: there is no such device here.
    """
    import torch

    try:
        device = torch.device(arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)  # torch.device takes what is not there
    except (RuntimeError, AssertionError) as error:
        here = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        raise ValueError(
            f"--device must be one that is here and that PyTorch was built for, such as {', '.join(here)}; got "
            f"{arguments.device!r} ({str(error).splitlines()[0]})"
        ) from error
    return device
