"""Options that several sub-commands have."""

import argparse

import pytest

from hf_fashion.cli.arguments import add_catalogue_arguments, add_model_arguments, load_catalogue_of, positive
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
