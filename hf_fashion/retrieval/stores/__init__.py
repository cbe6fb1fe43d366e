"""Databases that a gallery can live in."""
