"""Train E2, or a plain CLIP of the same size, from a recipe.

    accelerate launch training/train_e2.py e2_quickstart
    python training/train_e2.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train e2`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "e2", *sys.argv[1:]]))
