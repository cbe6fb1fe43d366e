"""Galleries in Milvus."""
