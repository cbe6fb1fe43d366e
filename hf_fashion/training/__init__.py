"""Parts that the training scripts share: recipes, the start of a run, checkpoints."""
