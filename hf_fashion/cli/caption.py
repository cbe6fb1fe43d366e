"""Write captions of photos.

    hf-fashion caption --model runs/captioner/quickstart/best photos/dress.jpg

    hf-fashion caption --model runs/captioner/quickstart/best photos/*.jpg --num_beams 3 --json

A line a photo: its path, a tab and the caption; with --json an object with `image` and `caption`.
"""

import argparse
import json

from .arguments import add_trust_argument, positive
from .output import hide_loading_bars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command.

    Args:
        parser (`argparse.ArgumentParser`): gets the options.
    """
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="path or URL of a photo")
    parser.add_argument("--model", required=True, help="folder or Hub id of a captioner with its processor")
    parser.add_argument(
        "--num_beams", type=positive, default=1, help="captions that are followed at a time; default: 1"
    )
    parser.add_argument("--device", help='such as "cpu" or "cuda:1"; default: a GPU if there is one')
    parser.add_argument("--json", action="store_true", help="a line of JSON for each photo")
    add_trust_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write a caption of each photo to stdout.

    Args:
        arguments (`argparse.Namespace`): the parsed options.
    """
    from ..embedding.query_photos import ANYWHERE
    from ..embedding.saved_models import load_model
    from ..models.captioner.pipeline_captioner import captioning_pipeline

    hide_loading_bars()
    parts = load_model(arguments.model, arguments.device, trust_remote_code=arguments.trust_remote_code)
    describe = captioning_pipeline(*parts)
    for name in arguments.photos:
        caption = describe(ANYWHERE.open(name), num_beams=arguments.num_beams)[0]["generated_text"]
        found = {"image": name, "caption": caption}
        print(json.dumps(found, ensure_ascii=False) if arguments.json else f"{name}\t{caption}", flush=True)
