"""Write the card of a saved model again, with evaluations, a baseline or a license.

    hf-fashion evaluate --model runs/quickstart/e2/best --corpus generated --tags --output e2.json
    hf-fashion card runs/quickstart/e2/best --results e2.json --license apache-2.0 --language en

    hf-fashion card runs/quickstart/e2/best --results e2.json --baselines CLIP-FT=clip.json --name me/my-e2

FOLDER is `best/` or `last/` of a training, or any saved E2, CLIP, FILIP, attribute-specific model, FR, captioner,
combiner or backbone. Its README.md gets every metric, tables and pictures; what people wrote into it stays. A training
writes the first card by itself.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("folder", metavar="FOLDER", help="folder of a saved model")
    parser.add_argument(
        "--results",
        nargs="+",
        metavar="FILE",
        default=[],
        help="from `hf-fashion evaluate --output`, instead of earlier ones",
    )
    parser.add_argument(
        "--baselines",
        nargs="+",
        metavar="NAME=FILE",
        default=[],
        help="other models, evaluated on the same data, instead of earlier ones",
    )
    parser.add_argument("--license", help="of the model, as the Hub names it, such as apache-2.0")
    parser.add_argument("--language", nargs="+", metavar="CODE", default=[], help="of its texts, such as en")
    parser.add_argument(
        "--name", help="id that the code on the card loads; default: that of an earlier call, or the folder"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the card and tell where it is.

    Args:
        arguments (`argparse.Namespace`): the parsed options.

    Raises:
        ValueError: a baseline has no name, or two have the same, or as [`update_card`].
    """
    from ..hub.cards.updating import update_card

    pairs = [text.partition("=") for text in arguments.baselines]
    for name, equals, path in pairs:
        if not (name and equals and path):
            raise ValueError(f"`--baselines` takes NAME=FILE, such as CLIP-FT=clip.json, got {name + equals + path!r}")
    baselines = {name: path for name, _, path in pairs}
    if len(baselines) < len(pairs):
        raise ValueError(f"`--baselines` needs a name of its own for each file, got {', '.join(arguments.baselines)}")
    update_card(arguments.folder, arguments.results, baselines, arguments.license, arguments.language, arguments.name)
    print(f"{arguments.folder}/README.md is written.")
