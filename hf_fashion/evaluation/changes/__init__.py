"""Evaluation of searches by a photo and what to change in it."""
