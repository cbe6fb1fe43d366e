"""Training of FR."""
