"""Corpora: loading, column maps and checks. Import the submodule you need."""
