"""Export a model to ONNX.

    hf-fashion export runs/quickstart/e2/best
    hf-fashion export runs/quickstart/ipad/best --output ipad_onnx

E2 gives two files, `vision_model.onnx` and `text_model.onnx`; ASEN, ASEN++, CSN, IPAD, RPF and FR give `model.onnx`.
Each is run in onnxruntime on batches of 1, 2 and 5 and compared with the model; a file that differs by more than 1e-4
is not written. They need no torch: onnxruntime and transformers.js run them.
"""

import argparse

from .arguments import add_trust_argument
from .output import hide_loading_bars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.set_defaults(stopped="The files are as they were.")
    parser.add_argument("folder", metavar="FOLDER", help="folder of an E2, an attribute-specific model or an FR")
    parser.add_argument("--output", metavar="DIR", help="folder for the files; default: onnx in FOLDER")
    add_trust_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Export the model, and print each file with its largest difference from the model.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..hub.onnx_export import export_onnx

    hide_loading_bars()
    for file in export_onnx(arguments.folder, arguments.output, trust_remote_code=arguments.trust_remote_code):
        size = file.path.stat().st_size / 1e6
        print(f"{file.path}: {size:.1f} MB, largest difference from the model {file.difference:.1e}")
