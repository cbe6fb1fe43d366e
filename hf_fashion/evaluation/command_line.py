"""What every evaluation script takes, and the split that it evaluates on."""

import argparse

import torch
from datasets import Dataset, DatasetDict

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap
from ..data.loading import load_corpus
from ..data.report import CorpusReport
from ..data.splits import train_and_validation
from .reranking import BASELINES


DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the model, the corpus and its split, and where to compute and to write. Returns the parser."""
    parser.add_argument("--model", required=True, help="folder or Hub id of a model with its processor")
    parser.add_argument("--corpus", required=True, help='"generated", a path, or a Hub id')
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; found by the corpus if it can")
    parser.add_argument("--split", default="validation", help="held out as in training where the corpus has none")
    parser.add_argument("--validation_fraction", type=float, default=0.1, help="share held out; as in the recipe")
    parser.add_argument("--train_split", help="the corpus' train split, if it is not called so")
    parser.add_argument("--on_bad_image", choices=("error", "skip"), default="error")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--output", help="JSON file to write")
    return parser


def add_reranking_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the re-rankers to compare, and how many candidates they get. Returns the parser."""
    parser.add_argument(
        "--rerankers", nargs="+", default=[], metavar="FR", help=f"folders of FR models, or {', '.join(BASELINES)}"
    )
    parser.add_argument("--num_candidates", type=int, default=99, help="re-ranked by baselines; FR has its own number")
    return parser


def load_splits(
    arguments: argparse.Namespace, column_map: ColumnMap, with_train: bool = False
) -> tuple[Dataset, Dataset | None, CorpusReport]:
    """The checked split to evaluate on, the train split where it is asked for, and the check's report.

    A corpus without a validation split has the products held out that training holds out.

    Args:
        arguments (`argparse.Namespace`): of `add_evaluation_arguments`.
        column_map (`ColumnMap`): the columns that will be read.
        with_train (`bool`): whether something is learned from the train split.

    Raises:
        ValueError: a split is not there, or the corpus cannot be used as it is.
    """
    corpus = load_corpus(
        arguments.corpus, image_column=column_map.image, require_files=arguments.on_bad_image == "error"
    )
    train = arguments.train_split or "train"
    if arguments.split == "validation" and "validation" not in corpus:
        fraction = arguments.validation_fraction
        corpus = train_and_validation(corpus, column_map, arguments.train_split, validation_fraction=fraction)
        train = "train"
    wanted = [arguments.split, *([train] if with_train else [])]
    for split in wanted:
        if split not in corpus:
            raise ValueError(f"no split {split!r} in {arguments.corpus}, there are {', '.join(corpus)}")
    checked, report = check_corpus(
        DatasetDict({split: corpus[split] for split in wanted}),
        column_map,
        arguments.on_bad_image,
        on_leak="warn",
        require_caption=False,
    )
    return checked[arguments.split], checked.get(train) if with_train else None, report
