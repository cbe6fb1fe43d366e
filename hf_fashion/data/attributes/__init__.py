"""Attributes of a corpus: vocabulary, labels, retrieval protocols and photos."""
