"""Model and data to figures: search, tags, probes, localisation, re-ranking; reports of them."""
