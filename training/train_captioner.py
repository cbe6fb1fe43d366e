"""Train a captioner on the captions of a corpus, over a frozen E2, CLIP or SigLIP, from a recipe.

    accelerate launch training/train_captioner.py captioner/quickstart
    python training/train_captioner.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train captioner`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "captioner", *sys.argv[1:]]))
