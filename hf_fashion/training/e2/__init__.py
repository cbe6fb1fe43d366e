"""Training of E2, and of a CLIP of the same size."""
