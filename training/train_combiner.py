"""Train a combiner of photos and words that change them, from a recipe.

    accelerate launch training/train_combiner.py combiner/quickstart
    python training/train_combiner.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train combiner`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "combiner", *sys.argv[1:]]))
