"""Filters: SQL text or a mapping, read once into a checked tree that every store understands."""
