"""Arguments of an evaluation on the command line. Nothing heavy is imported: `--help` must not wait for torch."""

import argparse
from dataclasses import fields
from typing import Any

from ..evaluation.options import PAIRINGS, PROTOCOLS, AttributeOptions, CaptionOptions, E2Options
from .arguments import seed


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the model, the corpus and its split, re-rankers, the device and the output. Return the parser.

    Args:
        parser (`argparse.ArgumentParser`): gets the arguments.
    """
    parser.add_argument("--model", required=True, help="folder or Hub id of a model with its processor")
    parser.add_argument("--corpus", required=True, help='"generated", a path, or a Hub id')
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; default: the corpus' own")
    parser.add_argument("--split", help="default: validation, held out as in training where the corpus has none")
    parser.add_argument("--validation_fraction", type=float, help="share held out, as in the recipe; default: 0.1")
    parser.add_argument("--train_split", help="name of the train split; default: train, or the only split")
    parser.add_argument("--on_bad_image", choices=("error", "skip"))
    parser.add_argument("--batch_size", type=int, help="photos in a forward pass; default: 64")
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), help="default: float32")
    parser.add_argument("--seed", type=seed, help="of the draw of queries, or of sample100's negatives; default: 0")
    parser.add_argument(
        "--rerankers", nargs="+", metavar="FR", help="folders of FR models, or query_expansion, k_reciprocal"
    )
    parser.add_argument(
        "--num_candidates", type=int, help="re-ranked by baselines; FR has its own number; default: 99"
    )
    parser.add_argument("--output", help="JSON file to write")
    return parser


def add_e2_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what is measured of E2, CLIP and FILIP. Return the parser.

    Args:
        parser (`argparse.ArgumentParser`): gets the arguments.
    """
    group = parser.add_argument_group("E2, CLIP and FILIP")
    group.add_argument("--protocol", choices=PROTOCOLS, help="default: full")
    group.add_argument("--pairing", choices=PAIRINGS, help="what counts as a match; default: distinct_titles")
    group.add_argument("--group_column", help="sample100: column that the negatives share with the match")
    _add_flag(group, "--tags", "zero-shot tags and tag-to-image search")
    _add_flag(group, "--linear_probe", "logistic regression trained on the train split")
    _add_flag(group, "--localisation", "selected patches against the column of true boxes")
    _add_flag(group, "--changes", "searches by a photo and a change of one tag, such as 'in red'")
    group.add_argument(
        "--fashion_iq", metavar="FOLDER", help="cap.*.json and split.*.json: only these queries of photos and changes"
    )
    group.add_argument("--combiner", metavar="C", help="combiner of this model, for --changes or --fashion_iq")
    return parser


def add_attribute_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what is measured of attribute-specific models. Return the parser.

    Args:
        parser (`argparse.ArgumentParser`): gets the arguments.
    """
    group = parser.add_argument_group("attribute-specific models")
    group.add_argument("--attributes", nargs="+", help="those of the column map to search by; default: the model's")
    _add_flag(group, "--all_folds", "make every photo a query once, for steadier metrics")
    group.add_argument("--queries", help="published lists of queries, query_<split>.txt")
    group.add_argument("--candidates", help="published lists of candidates, candidate_<split>.txt")
    _add_flag(group, "--pointing", "attention maps against the column of true boxes")
    return parser


def add_caption_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add how a captioner writes. Return the parser.

    Args:
        parser (`argparse.ArgumentParser`): gets the arguments.
    """
    group = parser.add_argument_group("captioners")
    group.add_argument("--num_beams", type=int, help="captions that the decoder follows at a time; default: 1")
    return parser


def evaluation_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of [`~evaluation.evaluate.evaluate`] that were given on the command line.

    Args:
        arguments (`argparse.Namespace`): parsed by a parser of [`add_evaluation_arguments`].
    """
    known = {field.name for kind in (E2Options, AttributeOptions, CaptionOptions) for field in fields(kind)}
    return {name: value for name, value in vars(arguments).items() if name in known and value is not None}


def _add_flag(group: argparse._ArgumentGroup, name: str, text: str) -> None:
    """A flag that is `None` where it is not given, as every other option."""
    group.add_argument(name, action="store_true", default=None, help=text)
