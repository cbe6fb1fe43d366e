"""Train an attribute-specific model (ASEN, ASEN++, IPAD, RPF, CSN, the triplet net) from a recipe.

    accelerate launch training/train_attribute_model.py attributes/asen_quickstart
    python training/train_attribute_model.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train attribute`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "attribute", *sys.argv[1:]]))
