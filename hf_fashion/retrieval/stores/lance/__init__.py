"""Galleries in LanceDB."""
