"""The generated corpus: garments drawn from code, with captions, tags, labels and the true box of every attribute."""
