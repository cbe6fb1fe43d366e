"""Training of a combiner: queries of a photo and words that change it."""
