"""Pretraining of backbones: classifiers of several attributes at once."""
