"""Captions of photos: how they compare with the true ones, and the tags that they name."""
