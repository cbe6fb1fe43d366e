"""Combiner: a photo and words that change it -> what to search by."""
