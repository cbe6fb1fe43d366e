"""What the training scripts share. Import the submodule you need."""
