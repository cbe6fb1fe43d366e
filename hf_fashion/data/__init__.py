"""Corpora: loading, column maps, checks, the generated corpus and converters. Import the submodule you need."""
