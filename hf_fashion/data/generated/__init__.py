"""Generate a corpus of drawn garments, with captions, tags, labels and the true box of every attribute."""
