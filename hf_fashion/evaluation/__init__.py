"""Measure models: model and data in, metrics out. Import the submodule you need."""
