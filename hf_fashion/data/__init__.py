"""Load and check corpora, draw training batches. Import the submodule you need."""
