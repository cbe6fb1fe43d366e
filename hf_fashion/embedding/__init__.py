"""Photos, texts and attributes to vectors. Import the submodule you need."""
