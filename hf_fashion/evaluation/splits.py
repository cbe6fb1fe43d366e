"""The checked split of a corpus that is evaluated on."""

import argparse

from datasets import Dataset, DatasetDict

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap
from ..data.corpus_report import CorpusReport
from ..data.loading import load_corpus
from ..data.splits import train_and_validation


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
