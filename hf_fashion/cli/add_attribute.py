"""Add an attribute to a model, by a few labelled photos or by its name.

    hf-fashion add-attribute runs/asen/best "heel height" --corpus shoes.csv --column heel --output heels

    hf-fashion add-attribute runs/by_text/best "heel height" --values flat mid high --text_encoder runs/e2/best \\
        --output heels

With a corpus the row of the attribute, and nothing else, is fitted on its labelled photos, which takes seconds; all
other attributes stay the same. By its name it works for models that were trained with `model.attribute_texts`. The
gallery of the model gains the new space with `hf-fashion add-spaces`.
"""

import argparse

from .arguments import add_trust_argument, seed
from .output import hide_loading_bars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.set_defaults(stopped="Nothing was written")
    parser.add_argument("model", metavar="MODEL", help="folder or Hub id of ASEN, ASEN++, CSN, RPF or IPAD")
    parser.add_argument("name", metavar="NAME", help="the new attribute, such as 'heel height'")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to create for the model")
    parser.add_argument("--corpus", metavar="C", help="labelled photos: what `embed` and `train` take")
    parser.add_argument("--split", help="which of the corpus' splits, if it has several")
    parser.add_argument("--column_map", help="a YAML file or the name of a shipped map; found by the corpus if it can")
    parser.add_argument("--column", help="column of the labels; default: the column map's, or NAME")
    parser.add_argument("--image_column", help="column of photos; default: the column map's, or image")
    parser.add_argument(
        "--values", nargs="+", default=[], help="values of the attribute; default: those of the photos"
    )
    parser.add_argument(
        "--text_encoder", metavar="M", help="E2, CLIP or another encoder that the model was trained by"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the batches")
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    add_trust_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Add the attribute, and print what was fitted.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..training.attribute.new_attribute import add_attribute

    hide_loading_bars()
    report = add_attribute(
        arguments.model,
        arguments.name,
        arguments.output,
        **_photos(arguments),
        values=arguments.values,
        text_encoder=arguments.text_encoder,
        device=arguments.device,
        seed=arguments.seed,
        trust_remote_code=arguments.trust_remote_code,
    )
    print(report or f"{arguments.name}: given by its text")
    print(f"the model is in {arguments.output}; `hf-fashion add-spaces` brings its gallery along")


def _photos(arguments: argparse.Namespace) -> dict:
    if arguments.corpus is None:
        return {}
    from dataclasses import replace

    from ..data.column_map import ColumnMap, column_map_for, find_for
    from ..retrieval.ingestion.load_catalogue import load_catalogue
    from ..training.attribute.new_attribute import attribute_column

    columns = {"image_column": arguments.image_column, "column_map": arguments.column_map}
    loaded = load_catalogue(arguments.corpus, arguments.split, **columns)
    corpus, named = arguments.corpus, arguments.column_map
    column_map = find_for(corpus) if named is None else column_map_for(named, corpus)
    column_map = attribute_column(column_map or ColumnMap(), arguments.name, arguments.column)
    return {"dataset": loaded["dataset"], "column_map": replace(column_map, image=loaded["image_column"])}
