"""Train a backbone to classify attributes, for attribute-specific models that have no pretrained one to start from.

    accelerate launch training/pretrain_backbone.py attributes/backbone_quickstart
    python training/pretrain_backbone.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train backbone`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "backbone", *sys.argv[1:]]))
