"""Fetch what a URL leads to: from public addresses only, within a time and a size."""
