"""Options of an evaluation on the command line: all fields, and only those that were given."""

import argparse
from dataclasses import fields

from hf_fashion.cli.evaluation_arguments import (
    add_attribute_arguments,
    add_e2_arguments,
    add_evaluation_arguments,
    evaluation_options,
)
from hf_fashion.evaluation.options import AttributeOptions, E2Options


REQUIRED = ["--model", "m", "--corpus", "c"]


def parser() -> argparse.ArgumentParser:
    return add_attribute_arguments(add_e2_arguments(add_evaluation_arguments(argparse.ArgumentParser())))


def test_every_option_of_both_kinds_has_an_argument():
    names = {field.name for kind in (E2Options, AttributeOptions) for field in fields(kind)}
    assert set(vars(parser().parse_args(REQUIRED))) == names | {"model", "corpus", "output"}


def test_nothing_is_given_by_default():
    assert evaluation_options(parser().parse_args(REQUIRED)) == {}


def test_given_options_keep_their_types():
    flags = ["--tags", "--validation_fraction", "0.2", "--rerankers", "fr", "k_reciprocal", "--output", "o.json"]
    options = evaluation_options(parser().parse_args([*REQUIRED, *flags]))
    assert options == {"tags": True, "validation_fraction": 0.2, "rerankers": ["fr", "k_reciprocal"]}
    assert E2Options(**options).tags
