"""Options that several sub-commands have."""

import argparse

import pytest

from hf_fashion.cli.arguments import (
    CommandParser,
    add_catalogue_arguments,
    add_model_arguments,
    load_catalogue_of,
    positive,
)
from hf_fashion.cli.main import parse_arguments
from tests.cli.commands import save_photos


def parse(*arguments: str, required: bool = True) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    add_catalogue_arguments(parser, required)
    return parser.parse_args(["--model", "m", "--gallery", "g", *arguments])


def test_a_corpus_is_required_where_it_is_read(capsys):
    assert parse(required=False).corpus is None
    with pytest.raises(SystemExit):
        parse()
    assert "--corpus" in capsys.readouterr().err


def test_the_columns_of_a_catalogue_come_from_the_options(tmp_path):
    save_photos(tmp_path / "photos", 3)
    catalogue = load_catalogue_of(parse("--corpus", str(tmp_path / "photos")), metadata_columns=[])
    assert len(catalogue["dataset"]) == 3 and catalogue["metadata_columns"] == []


@pytest.mark.parametrize("text", ["0", "-3"])
def test_a_count_is_at_least_1(text):
    assert positive("7") == 7
    with pytest.raises(argparse.ArgumentTypeError, match=f"at least 1, got {text}"):
        positive(text)


SEARCH = ("search", "--model", "m", "--gallery", "g")
EMBED = ("embed", "--model", "m", "--gallery", "g", "--corpus", "c")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ((*SEARCH, "--filter", "price < 5", "--filter", "new"), "--filter: given twice, as 'price < 5' and 'new': it"),
        ((*SEARCH, "--text", "a", "--text", "a"), "--text: given twice"),
        ((*SEARCH, "--model", "n"), "--model: given twice, as 'm' and 'n'"),
        ((*EMBED, "--batch_size", "64", "--batch_size", "32"), "--batch_size: given twice, as 64 and 32"),
        (("evaluate", "--model", "m", "--corpus", "c", "--seed", "1", "--see", "1"), "--seed: given twice"),
    ],
)
def test_an_option_of_one_value_is_given_once(line, message, capsys):
    with pytest.raises(SystemExit):
        parse_arguments([*line])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ((*SEARCH, "--text", "a", "--topk", "5"), "unrecognized arguments: --topk 5 (did you mean '--top_k'?)"),
        ((*SEARCH, "--text", "a", "--topk=5"), "unrecognized arguments: --topk=5 (did you mean '--top_k'?)"),
        ((*SEARCH, "photo.jpg"), "unrecognized arguments: photo.jpg\n"),
    ],
)
def test_what_a_command_does_not_know_is_told_with_its_usage(line, message, capsys):
    with pytest.raises(SystemExit):
        parse_arguments([*line])
    printed = capsys.readouterr().err
    assert message in printed and printed.startswith("usage: hf-fashion search") and "--top_k TOP_K" in printed


def test_a_list_is_all_that_was_given():
    columns = "--metadata_columns"
    assert parse_arguments([*EMBED, columns, "brand", columns, "price"]).metadata_columns == ["brand", "price"]
    ids = parse_arguments(["delete", "--gallery", "g", "--ids", "a", "b", "--ids", "c"]).ids
    assert ids == ["a", "b", "c"]


def test_a_parser_may_be_used_again():
    parser = CommandParser()
    parser.add_argument("--name", default="x")
    assert [parser.parse_args(["--name", "x"]).name for _ in range(2)] == ["x", "x"]
