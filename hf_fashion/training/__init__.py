"""What the training scripts share. Import the submodule you need; README.md says what each file is for."""
