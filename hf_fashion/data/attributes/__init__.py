"""Attribute labels: vocabulary, labels and retrieval protocols."""
