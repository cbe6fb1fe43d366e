"""Add options that several sub-commands share. Nothing heavy is imported before a command runs."""

import argparse
from typing import Any

from ..messages import did_you_mean
from .output import hide_loading_bars


class CommandParser(argparse.ArgumentParser):
    """A parser that drops no value: of an option that is repeated, argparse itself keeps the last one only. Here lists
    are joined, and an option of one value is an error.

    Args:
        *arguments: those of `argparse.ArgumentParser`.
        **options: those of `argparse.ArgumentParser`.
    """

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.given: set[str] = set()  # options of the line that is being parsed
        for name in (None, "store"):
            self.register("action", name, _KeepAll)

    def parse_known_args(self, args=None, namespace=None):
        """Parse a command line. What is not known is an error of the command, whose usage lists its options; argparse
        itself shows the usage of `hf-fashion`, which has none of them."""
        self.given.clear()
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            name = unknown[0].partition("=")[0]
            self.error(f"unrecognized arguments: {' '.join(unknown)}{did_you_mean(name, options)}")
        return parsed, unknown


class _KeepAll(argparse.Action):
    """Store the value of an option that is given once, or all items of a list."""

    def __call__(self, parser: CommandParser, namespace, values, option_string=None):
        if self.dest in parser.given:
            before = getattr(namespace, self.dest)
            if self.nargs not in ("*", "+"):
                raise argparse.ArgumentError(self, f"given twice, as {before!r} and {values!r}: it takes one value")
            values = [*before, *values]
        parser.given.add(self.dest)
        setattr(namespace, self.dest, values)


def add_model_arguments(parser: argparse.ArgumentParser, or_hub_id: bool = False) -> None:
    """Add the model, its gallery, the device and the float type.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
        or_hub_id (`bool`, *optional*, defaults to `False`): as for [`add_gallery_argument`].
    """
    parser.add_argument("--model", required=True, help="folder or Hub id of a model with its processor")
    add_gallery_argument(parser, or_hub_id)
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    parser.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="of the model, the same for a gallery and its searches; default: as it was saved",
    )
    add_trust_argument(parser)


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add the consent to run code that comes with a model.

    Args:
        parser (`argparse.ArgumentParser`): gets the option.
    """
    parser.add_argument(
        "--trust_remote_code", action="store_true", help="run the code that a model brings along; default: refuse it"
    )


def add_gallery_argument(parser: argparse.ArgumentParser, or_hub_id: bool = False) -> None:
    """Add the place of a gallery.

    Args:
        parser (`argparse.ArgumentParser`): gets the option.
        or_hub_id (`bool`, *optional*, defaults to `False`): whether the command opens it by `open_gallery`, which
            loads one from the Hub, as those do that only read it.
    """
    place = "folder of the gallery, its URI or Hub id" if or_hub_id else "folder of the gallery, or its URI"
    parser.add_argument("--gallery", required=True, metavar="DIR", help=place)


def add_catalogue_arguments(parser: argparse._ActionsContainer, required: bool) -> None:
    """Add a catalogue and its columns.

    Args:
        parser (`argparse.ArgumentParser` or argument group): gets the options.
        required (`bool`): the command needs a catalogue.
    """
    parser.add_argument(
        "--corpus",
        required=required,
        metavar="C",
        help="a product feed (CSV, JSON lines), a folder of photos, parquet, a saved dataset, a Hub id, or "
        '"generated"',
    )
    parser.add_argument("--split", help="which of the corpus' splits, if it has several")
    parser.add_argument(
        "--id_column", help="column of ids; default: the column map's product_id, for a folder of photos their paths"
    )
    parser.add_argument("--image_column", help="column of photos; default: the column map's, or image")
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; found by the corpus if it can")


def load_model_of(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Load the model of [`add_model_arguments`] and its processor.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..embedding.saved_models import load_model

    hide_loading_bars()
    trusted = arguments.trust_remote_code
    return load_model(arguments.model, arguments.device, arguments.dtype, trust_remote_code=trusted)


def load_catalogue_of(arguments: argparse.Namespace, **columns: Any) -> dict[str, Any]:
    """Load the catalogue of [`add_catalogue_arguments`], as arguments of [`Gallery.from_dataset`].

    Args:
        arguments (`argparse.Namespace`): the parsed options.
        **columns: more arguments of `load_catalogue`.
    """
    from ..retrieval.ingestion.load_catalogue import load_catalogue

    return load_catalogue(
        arguments.corpus,
        split=arguments.split,
        id_column=arguments.id_column,
        image_column=arguments.image_column,
        column_map=arguments.column_map,
        **columns,
    )


def positive(text: str) -> int:
    """Parse an integer of at least 1.

    Args:
        text (`str`): from the command line.

    Raises:
        argparse.ArgumentTypeError: the number is below 1.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def seed(text: str) -> int:
    """Parse a seed: an integer from 0 to 2^31 - 1.

    Args:
        text (`str`): from the command line.

    Raises:
        argparse.ArgumentTypeError: the number is another one.
    """
    number = int(text)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2147483647, got {number}")
    return number
