"""Fetch photos that a feed names by their URLs, from public addresses only."""
