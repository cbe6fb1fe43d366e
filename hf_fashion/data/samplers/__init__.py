"""Samplers: draw the training batches of an attribute-specific model."""
