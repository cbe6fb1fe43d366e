"""Train FR to re-rank the searches of an attribute-specific model, or E2's searches by description, from a recipe.

    accelerate launch training/train_feature_reasoning.py feature_reasoning/quickstart
    python training/train_feature_reasoning.py RECIPE --set training.seed=1 --resume_from_checkpoint latest

It is `hf-fashion train feature_reasoning`, which `--help` describes.
"""

import sys

from hf_fashion.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", "feature_reasoning", *sys.argv[1:]]))
